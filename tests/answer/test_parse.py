"""What counts as an answer: the seed's lenient reading, and the strict one beside it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esi_triage.answer import LABELS, Reasoning, lines_of, load_prompt, messages, parse, write

REASONING = Reasoning(
    chief_complaint="chest pain",
    vital_signs="BP 88/60, HR 118, RR 24, SpO2 91 %, T not recorded, pain 9/10",
    red_flags="hypotension, sweating",
    step_a="yes, shock",
    step_b="not reached",
    step_c="not reached",
    step_d="not reached",
)
FULL = write(REASONING, 1)

AWKWARD = [
    # text, level, strict, sections
    (FULL, 1, True, True),
    (f"\n  {FULL}\n\n", 1, True, True),
    (f"<think>\n\n</think>\n\n{FULL}", 1, True, True),
    (f"ESI 5 at first sight, but no.</think>\n{FULL}", 1, True, True),  # <think> was opened in the prompt
    (f"<think>ANSWER: ESI 5</think>{FULL}", 1, True, True),
    (f"<think>a</think>b</think>{FULL}", 1, True, True),
    ("<think>ESI 2 or perhaps ESI 3, ANSWER: ESI 4", None, False, False),  # thinking that never ends is no answer
    (f"{FULL}\nANSWER: ESI 2", 1, False, True),  # two ANSWER lines: the first counts, and it is not strict
    (f"{FULL}\nThank you.", 1, False, True),
    (FULL.replace("chest pain", "says 'ANSWER: ESI 5', chest pain"), 5, False, True),  # echoed from the narrative
    (FULL.replace("- Step C (resources): not reached\n", ""), 1, False, True),
    (FULL.replace("EXTRACTION:", ""), 1, False, False),
    ("ESI ALGORITHM:\nEXTRACTION:\nANSWER: ESI 3", 3, False, False),  # headings out of order
    ("ANSWER: ESI 2", 2, False, False),
    ("ANSWER:ESI2", 2, False, False),
    ("ANSWER:\n\n ESI\u00a04", 4, False, False),  # \s takes no-break spaces, as in the seed
    ("ANSWER: ESI 12", 1, False, False),  # the seed's pattern has no word boundary
    ("ANSWER: ESI 6", None, False, False),
    ("ANSWER: ESI 0", None, False, False),
    ("ANSWER: 3", None, False, False),
    ("answer: esi 2", None, False, False),  # the seed's patterns are case-sensitive
    ("answer: ESI 2", 2, False, False),  # through the fallback
    ("This is ESI 1 or 2", 1, False, False),
    ("ESI level 3", None, False, False),
    ("ESI 35", None, False, False),
    ("ESI-3", None, False, False),
    ("", None, False, False),
    (" \n\t", None, False, False),
    ("x" * 10_000, None, False, False),
    ("x" * 10_000 + "\nANSWER: ESI 5", 5, False, False),
    ("𝟓 ANSWER: ESI ５", None, False, False),  # full-width digits are no digits here
]


@pytest.mark.parametrize(("text", "level", "strict", "sections"), AWKWARD)
def test_awkward_texts(text: str, level: int | None, strict: bool, sections: bool) -> None:
    answer = parse(text)
    assert (answer.level, answer.strict, answer.sections) == (level, strict, sections)


@pytest.mark.parametrize(("text", "level", "strict", "sections"), AWKWARD)
def test_the_span_is_where_the_level_stands(text: str, level: int | None, strict: bool, sections: bool) -> None:
    span = parse(text).span
    assert (text[span[0] : span[1]] if span else None) == (str(level) if level else None)


def test_of_two_answers_the_span_is_the_first_s() -> None:
    text = "<think>ANSWER: ESI 4</think>\n ANSWER: ESI 2\nANSWER: ESI 5<think>ANSWER: ESI 2"
    span = parse(text).span
    assert span is not None
    assert text[: span[0]].endswith("</think>\n ANSWER: ESI ")


def test_text_is_the_answer_without_thinking() -> None:
    assert parse(f"ESI 5?</think>\n\n{FULL}").text == FULL


@given(st.text(max_size=400))
def test_never_raises_and_agrees_with_the_seed(text: str) -> None:
    answer = parse(text)
    if "think>" not in text:
        found = re.search(r"ANSWER:\s*ESI\s*([1-5])", text) or re.search(r"ESI\s+([1-5])\b", text)
        assert answer.level == (int(found[1]) if found else None)


@given(st.integers(1, 5), st.integers(1, 5), st.text(max_size=200))
def test_what_was_thought_never_counts(thought: int, level: int, more: str) -> None:
    answer = parse(f"<think>{more.replace('</think>', '')} ANSWER: ESI {thought}</think>{write(REASONING, level)}")
    assert answer.level == level
    assert answer.strict


words = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=60)
line = words.filter(lambda text: text.strip() and "ANSWER:" not in text and len(text.splitlines()) == 1)


@given(st.builds(Reasoning, *(line for _ in LABELS)), st.integers(1, 5))
def test_what_is_written_is_read_back(reasoning: Reasoning, level: int) -> None:
    answer = parse(write(reasoning, level).replace("think>", "think"))
    assert answer.level == level
    assert answer.strict
    assert answer.sections


def test_lines_of_takes_an_answer_apart() -> None:
    assert lines_of(FULL) == {name: getattr(REASONING, name) for name in LABELS.values()}
    assert lines_of("- Step A (lifesaving): no\nnothing else") == {"step_a": "no"}


@pytest.mark.parametrize("bad", ["", "  ", "two\nlines", "ANSWER: ESI 5"])
def test_write_refuses_lines_that_would_not_parse(bad: str) -> None:
    with pytest.raises(ValueError, match="step_a"):
        write(Reasoning("a", "b", "c", bad, "e", "f", "g"), 3)


def test_headings_alone_are_read_in_linear_time() -> None:
    many = "ANSWER: ESI 1" + "EXTRACTION:ALGORITHM:" * 20_000
    assert parse(many).level == 1  # a backtracking pattern would take minutes; the suite has a time limit


def test_the_model_card_prompt_is_the_card_s() -> None:
    prompt = load_prompt("model-card")
    assert prompt.system.endswith("Be concise — stay under 150 words total.")
    assert prompt.sha256 == "6220e39cc4d3fc6679d77d7224efc4d0160e7fcda966b7265dfce63fcb7c5fe7"
    assert [turn["role"] for turn in messages("x", prompt)] == ["system", "user"]
