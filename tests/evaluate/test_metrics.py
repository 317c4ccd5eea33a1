"""Metrics: no-parse is wrong, intervals are Wilson's, and the published figures come out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esi_triage.evaluate.metrics import best_constant, confusion, mcnemar, metrics, paired, proportion

MIETIC = [1] * 14 + [2] * 11 + [3] * 5 + [4] * 4 + [5] * 2  # the class counts of the 36 expert-annotated cases


def test_wilson_of_the_card_s_headline() -> None:
    found = proportion(28, 36)  # facts: 28/36 has a 95 % interval from 62 to 88 %
    assert (found["value"], found["n"]) == (pytest.approx(0.7778, abs=1e-4), 36)
    assert (found["low"], found["high"]) == (pytest.approx(0.619, abs=1e-3), pytest.approx(0.883, abs=1e-3))


def test_wilson_against_its_formula() -> None:
    k, n, z = 7, 50, 1.959963984540054
    p = k / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    found = proportion(k, n)
    assert (found["low"], found["high"]) == (pytest.approx(centre - half), pytest.approx(centre + half))


def test_nothing_to_divide_by_is_null_not_zero() -> None:
    assert proportion(0, 0) == {"value": None, "low": None, "high": None, "n": 0}


def test_no_parse_is_wrong_and_stays_in_the_denominator() -> None:
    found = metrics([2, 2, 3, 4], [2, None, None, 5])
    assert found["exact"]["value"] == 0.25
    assert found["within_one"]["value"] == 0.5
    assert found["no_parse"]["value"] == 0.5
    assert found["exact"]["n"] == found["within_one"]["n"] == 4
    assert found["per_class"]["2"]["sensitivity"]["value"] == 0.5
    assert found["high_acuity_sensitivity"] == proportion(1, 2)


def test_within_one_looks_both_ways() -> None:
    assert metrics([3, 3, 3], [2, 4, 5])["within_one"]["value"] == pytest.approx(2 / 3)


def test_constants_on_mietic() -> None:
    always_two = metrics(MIETIC, [2] * 36)
    assert always_two["within_one"]["value"] == pytest.approx(30 / 36)  # facts: 83 %
    assert best_constant(MIETIC)["level"] == 1


def test_directions() -> None:
    found = metrics([1, 2, 3, 4], [2, 1, 3, None])
    assert (found["under_triage"]["value"], found["over_triage"]["value"]) == (0.25, 0.25)


def test_confusion_has_a_column_for_silence() -> None:
    table = confusion([1, 5, 5], [1, None, 4])
    assert table[0][0] == table[4][5] == table[4][3] == 1
    assert sum(map(sum, table)) == 3


@pytest.mark.parametrize(("gained", "lost", "p"), [(0, 0, 1.0), (6, 0, 0.03125), (5, 0, 0.0625), (3, 3, 1.0)])
def test_mcnemar_by_hand(gained: int, lost: int, p: float) -> None:
    assert mcnemar(gained, lost) == pytest.approx(p)


def test_paired_counts_discordant_cases() -> None:
    found = paired([1, 2, 3, 4], [1, 2, None, 5], [1, 3, 3, 4])
    assert (found["gained"], found["lost"], found["difference"]) == (2, 1, 0.25)


@pytest.mark.parametrize(("gold", "predicted"), [([1], []), ([0], [1]), ([6], [1])])
def test_wrong_shapes_are_refused(gold: list[int], predicted: list[int]) -> None:
    with pytest.raises(ValueError, match="gold"):
        metrics(gold, predicted)


levels = st.integers(1, 5)


@given(st.lists(st.tuples(levels, st.none() | levels), min_size=1, max_size=60))
def test_what_must_add_up(pairs: list[tuple[int, int | None]]) -> None:
    gold, predicted = [g for g, _ in pairs], [p for _, p in pairs]
    found = metrics(gold, predicted)
    n = len(pairs)
    assert sum(map(sum, found["confusion"])) == n
    directions = sum(found[k]["value"] for k in ("exact", "under_triage", "over_triage", "no_parse"))
    assert directions == pytest.approx(1)
    assert found["exact"]["value"] <= found["within_one"]["value"]
    assert sum(row["gold_n"] for row in found["per_class"].values()) == n
    assert sum(share["value"] for share in found["predicted_share"].values()) == pytest.approx(1)
    for name in ("exact", "within_one", "no_parse"):
        assert found[name]["low"] <= found[name]["value"] <= found[name]["high"]
