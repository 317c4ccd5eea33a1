"""A design is any square table over ordered levels; what does not fit is named in one sentence."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esi_triage.answer import Answer
from esi_triage.errors import InputError
from esi_triage.reward import Design, load_design, score

THREE = Design(
    name="three", table=((1, 0, -1), (-0.5, 1, 0), (-2, -0.5, 1)), no_parse=-2, labels=("red", "amber", "green")
)


def test_a_table_may_have_any_number_of_levels() -> None:
    assert list(THREE.levels) == [1, 2, 3]
    assert THREE.oversample == {1: 1.0, 2: 1.0, 3: 1.0}
    assert [THREE.label(level) for level in THREE.levels] == ["red", "amber", "green"]
    assert THREE.rewards.tolist() == [[1, 0, -1, -2], [-0.5, 1, 0, -2], [-2, -0.5, 1, -2]]


@pytest.mark.parametrize(("n", "label"), [(2, "level 2"), (5, "ESI-2"), (7, "level 2")])
def test_an_unlabelled_table_of_five_levels_is_esi_s(n: int, label: str) -> None:
    table = tuple(tuple(float(g == p) for p in range(n)) for g in range(n))
    assert Design(name="plain", table=table, no_parse=0).label(2) == label


BONUSES = [
    # condition, scale -> what exact, wrong and no answer earn of 0.1 for format and 0.3 for brevity, at half the limit
    ("always", "linear", (0.25, 0.25, 0.15)),  # no answer has no format
    ("parsed", "linear", (0.25, 0.25, 0.0)),
    ("exact", "linear", (0.25, 0.0, 0.0)),
    ("parsed", "flat", (0.4, 0.4, 0.0)),
]


@pytest.mark.parametrize(("paid", "scale", "expected"), BONUSES)
def test_bonus_by_outcome(paid: str, scale: str, expected: tuple[float, ...]) -> None:
    terms = {"format_paid": paid, "length_paid": paid, "length_scale": scale}
    design = THREE.model_copy(update={"format_bonus": 0.1, "length_bonus": 0.3, **terms})
    assert [design.bonus(outcome) for outcome in ("exact", "wrong", "no answer")] == pytest.approx(list(expected))
    assert design.bonus("exact", design.length_limit + 1) == pytest.approx(0.1)  # too long for brevity


paid = st.sampled_from(["always", "parsed", "exact"])


@given(paid, paid, st.sampled_from(["linear", "flat"]), st.integers(0, 400), st.floats(-1, 1), st.floats(-1, 1))
def test_earned_is_what_the_scorer_pays_for_well_formed_answers(
    format_paid: str, length_paid: str, scale: str, tokens: int, form: float, brief: float
) -> None:
    terms = {"format_paid": format_paid, "length_paid": length_paid, "length_scale": scale}
    design = THREE.model_copy(update={"format_bonus": form, "length_bonus": brief, **terms})
    scored = [
        [
            score(Answer(level, level is not None, level is not None, ""), gold, design, tokens).total
            for level in (1, 2, 3, None)
        ]
        for gold in design.levels
    ]
    assert np.array(scored) == pytest.approx(design.with_bonuses(tokens))


def test_a_level_that_the_table_lacks_is_no_answer() -> None:
    assert score(Answer(5, True, True, ""), 1, THREE, 10).total == THREE.no_parse


@pytest.mark.parametrize("gold", [0, 4])
def test_gold_must_be_a_level_of_the_table(gold: int) -> None:
    with pytest.raises(ValueError, match="1 to 3"):
        score(Answer(1, True, True, ""), gold, THREE, 10)


BAD_DESIGNS = [
    ("table = [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]", "square"),
    ("table = [[1.0, 0.0], [0.0]]", "square"),
    ("table = [[1.0]]", "square"),
    ("table = []", "square"),
    ("table = [[1.0, nan], [0.0, 1.0]]", "finite"),
    ("table = [[1.0, 'x'], [0.0, 1.0]]", "table"),
    ("table = 3", "table"),
    ("tabel = []", "tabel"),
    ('labels = ["red"]', "5 different names"),
    ('labels = ["a", "a", "b", "c", "d"]', "5 different names"),
    ('urgent = "top"', "urgent"),
    ('format_paid = "sometimes"', "format_paid"),
    ('length_paid = "never"', "length_paid"),
    ('length_scale = "log"', "length_scale"),
    ("length_limit = 0", "length_limit"),
    ("no_parse = nan", "no_parse"),
    ("length_bonus = inf", "length_bonus"),
    ("oversample = {6 = 2}", "levels are 1 to 5"),
    ("oversample = {1 = -2}", "oversample"),
    ("table = [", "TOML"),
]


@pytest.mark.parametrize(("change", "named"), BAD_DESIGNS)
def test_bad_designs_are_named(tmp_path: Path, change: str, named: str) -> None:
    rows = ",".join(["[1.0, 0.0, 0.0, 0.0, 0.0]"] * 5)
    lines = {"name": 'name = "mine"', "table": f"table = [{rows}]", "no_parse": "no_parse = -1.0"}
    lines[change.split(" ")[0]] = change
    file = tmp_path / "mine.toml"
    file.write_text("\n".join(lines.values()), encoding="utf-8")
    with pytest.raises(InputError, match=named) as caught:
        load_design(str(file))
    assert "mine.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("missing", ["name", "table", "no_parse"])
def test_a_key_that_is_missing_is_named(tmp_path: Path, missing: str) -> None:
    lines = {"name": 'name = "mine"', "table": "table = [[1.0, 0.0], [0.0, 1.0]]", "no_parse": "no_parse = -1.0"}
    del lines[missing]
    file = tmp_path / "mine.toml"
    file.write_text("\n".join(lines.values()), encoding="utf-8")
    with pytest.raises(InputError, match=f"key '{missing}' is missing"):
        load_design(str(file))


def test_an_unknown_design_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="v45c, v46, v47, v48"):
        load_design("v99")
