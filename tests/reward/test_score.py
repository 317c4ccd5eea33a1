"""Rewards: the card's table cell by cell, and when bonuses are paid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esi_triage.answer import Reasoning, parse, write
from esi_triage.reward import approximate_tokens, design_names, load_design, reward_functions, score

V46 = load_design("v46")
FULL = {level: write(Reasoning(*"abcdefg"), level) for level in range(1, 6)}

# The card's table, row by row of its prose: outcome -> reward without bonuses
CARD_V46 = [
    *[(1, 1, 3.0), (2, 2, 2.0), (3, 3, 1.0), (4, 4, 1.0), (5, 5, 1.0)],
    *[(1, 2, -1.0), (1, 3, -2.0), (1, 4, -2.0), (1, 5, -2.0)],
    *[(2, 1, -0.5), (3, 1, -1.0), (4, 1, -1.5), (5, 1, -2.0)],
    *[(2, 3, 0.0), (2, 5, 0.0), (3, 2, 0.0), (3, 5, 0.0), (4, 2, 0.0), (4, 5, 0.0), (5, 2, 0.0), (5, 4, 0.0)],
]


@pytest.mark.parametrize(("gold", "level", "reward"), CARD_V46)
def test_v46_is_the_card_s_table(gold: int, level: int, reward: float) -> None:
    assert score(parse(f"ANSWER: ESI {level}"), gold, V46, tokens=1000).total == reward


@pytest.mark.parametrize("distance", [1, 2, 3, 4])
def test_v48_costs_by_distance(distance: int) -> None:
    cost = {1: -0.3, 2: -0.5, 3: -0.7, 4: -0.7}[distance]
    v48 = load_design("v48")
    for gold in range(1, 6):
        for level in (gold - distance, gold + distance):
            if 1 <= level <= 5:
                assert score(parse(f"ANSWER: ESI {level}"), gold, v48, tokens=1000).total == cost


def test_v47_is_v46_trained_on() -> None:
    same = {"name", "about"}
    assert load_design("v47").model_dump(exclude=same) == V46.model_dump(exclude=same)


def test_v45c_pays_nothing_but_exactness() -> None:
    v45c = load_design("v45c")
    assert [score(parse(FULL[k]), 1, v45c, 10).total for k in (1, 2, 5)] == [1.0, 0.0, 0.0]
    assert score(parse("no idea"), 1, v45c, 10).total == 0.0
    assert v45c.oversample[1] == 20


@pytest.mark.parametrize(
    ("text", "gold", "tokens", "parts"),
    [
        (FULL[2], 2, 0, (2.0, 0.1, 0.3)),
        (FULL[2], 2, 150, (2.0, 0.1, 0.15)),
        (FULL[2], 2, 300, (2.0, 0.1, 0.0)),
        (FULL[2], 2, 301, (2.0, 0.1, 0.0)),
        (FULL[3], 2, 150, (0.0, 0.1, 0.15)),  # wrong answers earn the bonuses too
        ("ANSWER: ESI 2", 2, 150, (2.0, 0.0, 0.15)),  # no format
        ("I do not know", 2, 0, (-0.5, 0.0, 0.0)),  # silence earns none
        ("", 5, 0, (-0.5, 0.0, 0.0)),
        ("ESI 1 or 2", 1, 300, (3.0, 0.0, 0.0)),
        ("<think>ANSWER: ESI 1", 1, 300, (-0.5, 0.0, 0.0)),
    ],
)
def test_parts_of_v46(text: str, gold: int, tokens: int, parts: tuple[float, float, float]) -> None:
    assert score(parse(text), gold, V46, tokens)[:3] == pytest.approx(parts)


@pytest.mark.parametrize("when", ["always", "parsed", "exact"])
def test_the_terms_of_a_bonus_are_kept(when: str) -> None:
    design = V46.model_copy(update={"length_paid": when, "length_scale": "flat", "format_means": "strict"})
    paid = {text: score(parse(text), 2, design, 9).length > 0 for text in (FULL[2], FULL[3], "silence")}
    assert paid == {FULL[2]: True, FULL[3]: when != "exact", "silence": when == "always"}
    assert score(parse(FULL[2] + "\nbye"), 2, design, 9).format == 0.0


@given(st.text(max_size=300), st.integers(1, 5), st.integers(0, 2000), st.sampled_from(design_names()))
def test_total_is_the_sum_of_bounded_parts(text: str, gold: int, tokens: int, name: str) -> None:
    design = load_design(name)
    found = score(parse(text), gold, design, tokens, narrative="a note")
    assert found.total == found.answer + found.format + found.length + found.steps
    assert found.format in (0.0, design.format_bonus)
    assert 0.0 <= found.steps <= design.steps_bonus
    assert 0.0 <= found.length <= design.length_bonus
    assert found.answer in {design.no_parse, *design.table[gold - 1]}


@pytest.mark.parametrize("gold", [0, 6, -1])
def test_a_gold_outside_1_to_5_is_an_error(gold: int) -> None:
    with pytest.raises(ValueError, match="gold"):
        score(parse("ANSWER: ESI 1"), gold, V46, 1)


def test_trl_functions_are_named_and_sum_to_the_score() -> None:
    texts = [FULL[2], FULL[3], "silence", "ANSWER: ESI 1"]
    ids = [[0] * n for n in (10, 200, 400, 5)]
    functions = reward_functions(V46)
    assert [getattr(f, "__name__", "") for f in functions] == ["answer", "format", "length"]
    chat = [[{"role": "assistant", "content": text}] for text in texts]
    for completions in (texts, chat):
        parts = [f(completions=completions, completion_ids=ids, gold=[2] * 4) for f in functions]
        expected = [score(parse(text), 2, V46, len(i)).total for text, i in zip(texts, ids, strict=True)]
        assert [sum(row) for row in zip(*parts, strict=True)] == pytest.approx(expected)


def test_reasoning_that_was_split_off_is_not_the_answer() -> None:
    answer = reward_functions(V46)[0]
    message = [{"role": "assistant", "reasoning_content": "ANSWER: ESI 5", "content": "ANSWER: ESI 2"}]
    assert answer(completions=[message], completion_ids=[[1]], gold=[2]) == [2.0]


def test_approximate_tokens_counts_words_and_marks() -> None:
    assert approximate_tokens("ANSWER: ESI 2") == 4
