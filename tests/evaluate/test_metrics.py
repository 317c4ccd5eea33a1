"""Metrics: no-parse is wrong and costs most, names mean what they say, and nothing is dropped."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esi_triage.errors import InputError
from esi_triage.evaluate.scored import scored
from esi_triage.evaluate.statistics.costs import cost_ratio, load_costs
from esi_triage.evaluate.statistics.intervals import proportion
from esi_triage.evaluate.statistics.metrics import best_constant, by_group, confusion, metrics

MIETIC = [1] * 14 + [2] * 11 + [3] * 5 + [4] * 4 + [5] * 2  # the class counts of the 36 expert-annotated cases


def test_nothing_to_divide_by_is_null_not_zero() -> None:
    assert proportion(0, 0) == {"value": None, "low": None, "high": None, "n": 0}


def test_no_parse_is_wrong_and_stays_in_the_denominator() -> None:
    found = metrics(scored([2, 2, 3, 4], [2, None, None, 5]))
    assert found["exact"]["value"] == 0.25
    assert found["within_one"]["value"] == 0.5
    assert found["no_parse"]["value"] == 0.5
    assert found["exact"]["n"] == found["within_one"]["n"] == 4
    assert found["per_class"]["2"]["sensitivity"]["value"] == 0.5
    assert found["high_acuity_sensitivity"] == proportion(1, 2)


def test_within_one_looks_both_ways() -> None:
    assert metrics(scored([3, 3, 3], [2, 4, 5]))["within_one"]["value"] == pytest.approx(2 / 3)


def test_constants_on_mietic() -> None:
    always_two = metrics(scored(MIETIC, [2] * 36))
    assert always_two["within_one"]["value"] == pytest.approx(30 / 36)  # facts: 83 %
    assert best_constant(scored(MIETIC, MIETIC))["level"] == 1


def test_directions() -> None:
    found = metrics(scored([1, 2, 3, 4], [2, 1, 3, None]))
    assert (found["under_triage"]["value"], found["over_triage"]["value"]) == (0.25, 0.25)


def test_confusion_has_a_column_for_silence() -> None:
    table = confusion(scored([1, 5, 5], [1, None, 4]))
    assert table[0][0] == table[4][5] == table[4][3] == 1
    assert sum(map(sum, table)) == 3


@pytest.mark.parametrize(("gold", "predicted"), [([1], []), ([0], [1]), ([6], [1]), ([1], [0]), ([1], [6])])
def test_wrong_shapes_are_refused(gold: list[int], predicted: list[int]) -> None:
    with pytest.raises(ValueError, match="gold"):
        metrics(scored(gold, predicted))


def test_every_figure_has_its_interval_and_n() -> None:
    found = metrics(scored([1, 2, 3, 4, 5, 3], [1, 2, 2, None, 5, 3]))
    names = "exact within_one no_parse under_triage over_triage under_triage_or_silent two_or_more severe_under_triage"
    names += " exact_or_one_over esi1_sensitivity esi1_specificity high_acuity_sensitivity high_acuity_specificity"
    names += " qwk ac2 macro_f1 macro_mae expected_cost"
    for name in names.split():
        for measured in (found, found["complete_case"]):
            figure = measured[name]
            assert figure["n"] > 0, name
            assert figure["low"] <= figure["value"] <= figure["high"], name
    assert json.loads(json.dumps(found, allow_nan=False)) == found


# gold, predicted, and the figures that must come of them
@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        ([2, 2], [2, None], {"exact": 0.5, "within_one": 0.5, "two_or_more": 0.5, "under_triage_or_silent": 0.5}),
        ([2, 2], [2, None], {"severe_under_triage": 0.5, "high_acuity_sensitivity": 0.5, "under_triage": 0.0}),
        ([4, 4], [4, None], {"high_acuity_specificity": 0.5, "esi1_specificity": 0.5, "severe_under_triage": None}),
        ([1, 2, 3], [None, 4, 5], {"severe_under_triage": 1.0, "macro_mae": (4 + 2 + 2) / 3}),
        ([3, 4], [None, None], {"macro_mae": (2 + 3) / 2, "macro_f1": 0.0, "expected_cost": (10 + 5) / 2}),
        ([1, 1, 2], [1, 1, 3], {"esi1_sensitivity": 1.0, "high_acuity_sensitivity": 2 / 3, "expected_cost": 5 / 3}),
        ([1, 2, 3], [2, 1, 2], {"esi1_sensitivity": 0.0, "esi1_specificity": 0.5, "expected_cost": (5 + 1 + 1) / 3}),
    ],
)
def test_figures_by_hand(gold: list[int], predicted: list[int | None], expected: dict[str, float | None]) -> None:
    found = metrics(scored(gold, predicted))
    assert {name: found[name]["value"] for name in expected} == pytest.approx(expected)


levels = st.integers(1, 5)


@settings(deadline=None)
@given(st.lists(st.tuples(levels, levels), min_size=2, max_size=30), st.data())
def test_falling_silent_never_pays(pairs: list[tuple[int, int]], data: st.DataObject) -> None:
    """The mistake of dropping what could not be parsed: a model would gain by being silent where it is wrong."""
    gold, spoken = [g for g, _ in pairs], [p for _, p in pairs]
    silent: list[int | None] = [*spoken]
    silent[data.draw(st.integers(0, len(pairs) - 1))] = None
    before, after = metrics(scored(gold, spoken, resamples=2)), metrics(scored(gold, silent, resamples=2))
    for name in ("exact", "within_one", "high_acuity_sensitivity", "high_acuity_specificity", "esi1_sensitivity"):
        assert (after[name]["value"] or 0) <= (before[name]["value"] or 0), name
        assert after[name]["n"] == before[name]["n"], name
    for name in ("two_or_more", "under_triage_or_silent", "severe_under_triage", "macro_mae", "expected_cost"):
        assert (after[name]["value"] or 0) >= (before[name]["value"] or 0) - 1e-12, name


def test_complete_cases_come_second_and_say_how_many() -> None:
    found = metrics(scored([2, 3, 3, 4], [2, None, 3, None]))
    assert (found["exact"]["value"], found["exact"]["n"]) == (0.5, 4)
    assert (found["complete_case"]["exact"]["value"], found["complete_case"]["exact"]["n"]) == (1.0, 2)


def test_lenient_parsing_stands_beside_strict() -> None:
    """The mistake of the lenient parser: what it gains over the full format must be seen."""
    found = metrics(
        scored([2, 2, 3, 3], [2, 2, 3, None]), strict=[True, False, False, False], truncated=[False, False, False, True]
    )
    assert found["exact"]["value"] == 0.75
    assert found["strict_parse"]["exact"]["value"] == 0.25
    assert found["strict_parse"]["no_parse"]["value"] == 0.75
    assert (found["strict_format"]["value"], found["truncated"]["value"]) == (0.25, 0.25)


def test_the_one_sided_range_has_a_name_of_its_own() -> None:
    """The mistake of calling 0 <= gold - predicted <= 1 "within one": it forgives over-triage only."""
    found = metrics(scored([3, 3, 3, 3], [2, 3, 4, 1]))
    assert found["within_one"]["value"] == 0.75
    assert found["exact_or_one_over"]["value"] == 0.5


def test_who_assigned_gold_is_told_apart() -> None:
    """The mistake of reporting agreement with an engine as the accuracy against experts."""
    sources = ["expert-confirmed", "engine", "engine", None]
    found = metrics(scored([2, 3, 4, 5], [1, 3, 4, 5]), gold_sources=sources)["by_gold_source"]
    assert {name: (row["exact"]["value"], row["n"]) for name, row in found.items()} == {
        "engine": (1.0, 2),
        "expert-confirmed": (0.0, 1),
        "not recorded": (1.0, 1),
    }


def test_rows_with_something_missing_are_a_group_not_a_loss() -> None:
    """The mistake of dropping rows with missing vital signs: the sickest are among them."""
    gold, predicted = [1, 1, 3, 3], [3, 1, 3, 3]
    groups = by_group(scored(gold, predicted), [None, None, "complete", "complete"])
    assert sum(row["n"] for row in groups.values()) == len(gold)
    assert groups["not recorded"]["esi1_sensitivity"]["value"] == 0.5


def test_the_best_constant_is_the_best_for_what_is_asked() -> None:
    found = metrics(scored(MIETIC, [2] * 36))
    assert (found["best_constant"]["level"], found["best_constant_within_one"]["level"]) == (1, 2)
    assert found["best_constant_within_one"]["within_one"] == proportion(30, 36)


def test_shipped_costs_are_five_to_one_and_other_ratios_are_shown() -> None:
    assert np.array_equal(load_costs(), cost_ratio(5))
    found = metrics(scored([2, 3], [3, 2]))
    by_ratio = {ratio: row["value"] for ratio, row in found["expected_cost_by_ratio"].items()}
    assert by_ratio == {"1": 1.0, "2": 1.5, "5": 3.0, "10": 5.5}
    assert found["costs"] == load_costs().tolist()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("table = [[0, 1], [1, 0]]", "5 rows"),
        ("", "5 rows"),
        ("table = [[0,1,1,1,-1],[1,0,1,1,1],[1,1,0,1,1],[1,1,1,0,1],[1,1,1,1,0]]", ">= 0"),
        ("table = [[9,1,1,1,1],[1,0,1,1,1],[1,1,0,1,1],[1,1,1,0,1],[1,1,1,1,0]]", "row 1"),
        ("table = [[0,1],[1]]", "no cost table"),
        ("table = [", "not a TOML file.*cost table"),
    ],
)
def test_bad_costs_are_named(tmp_path: Path, text: str, names: str) -> None:
    file = tmp_path / "costs.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=names) as raised:
        load_costs(file)
    assert "costs.toml" in str(raised.value)


def test_five_columns_of_costs_leave_silence_the_worst(tmp_path: Path) -> None:
    file = tmp_path / "costs.toml"
    file.write_text("table = [[0,1,2,3,4],[1,0,1,2,3],[2,1,0,1,2],[3,2,1,0,1],[4,3,2,1,0]]", encoding="utf-8")
    assert load_costs(file)[:, 5].tolist() == [4, 3, 2, 3, 4]


@settings(deadline=None)
@given(st.lists(st.tuples(levels, st.none() | levels), min_size=1, max_size=60))
def test_what_must_add_up(pairs: list[tuple[int, int | None]]) -> None:
    gold, predicted = [g for g, _ in pairs], [p for _, p in pairs]
    found = metrics(scored(gold, predicted))
    n = len(pairs)
    assert sum(map(sum, found["confusion"])) == n
    directions = sum(found[k]["value"] for k in ("exact", "under_triage", "over_triage", "no_parse"))
    assert directions == pytest.approx(1)
    assert found["exact"]["value"] <= found["within_one"]["value"]
    assert sum(row["gold_n"] for row in found["per_class"].values()) == n
    assert sum(share["value"] for share in found["predicted_share"].values()) == pytest.approx(1)
    assert found["two_or_more"]["value"] + found["within_one"]["value"] == pytest.approx(1)
    for name in ("exact", "within_one", "no_parse"):
        assert found[name]["low"] <= found[name]["value"] <= found[name]["high"]
