"""Probabilities: Brier against scikit-learn, calibration and risk against coverage by hand."""

from typing import Any, cast

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from esi_triage.evaluate.scored import scored
from esi_triage.evaluate.statistics.metrics import metrics

RNG = np.random.default_rng(3)
FIVE = (0.05, 0.05, 0.8, 0.05, 0.05)


def measured(gold: Any, predicted: Any, probabilities: Any, **options: Any) -> dict[str, Any]:
    return metrics(scored(gold, predicted, **options), probabilities=probabilities)["calibration"]


def test_brier_is_scikit_learn_s() -> None:
    gold = RNG.integers(1, 6, 200)
    table = RNG.dirichlet(np.ones(5), 200)
    found = measured(gold.tolist(), (table.argmax(axis=1) + 1).tolist(), table.tolist())
    expected: Any = brier_score_loss(gold, table, labels=[1, 2, 3, 4, 5], scale_by_half=cast(Any, False))
    assert found["brier"]["value"] == pytest.approx(expected)
    assert found["brier"]["low"] < expected < found["brier"]["high"]


def test_calibration_error_by_hand() -> None:
    """Ten answers at 0.8, of which 5 are right, ten at 1.0, all right: 0.5 * 0.3 + 0.5 * 0."""
    sure = (0.0, 0.0, 1.0, 0.0, 0.0)
    found = measured([3] * 5 + [2] * 5 + [3] * 10, [3] * 20, [FIVE] * 10 + [sure] * 10)
    assert found["ece"]["value"] == pytest.approx(0.15)
    assert found["ece"]["low"] <= 0.15 <= found["ece"]["high"]
    bins = [(row["from"], row["confidence"], row["exact"]["value"], row["exact"]["n"]) for row in found["reliability"]]
    assert bins == [(0.8, pytest.approx(0.8), 0.5, 10), (0.9, 1.0, 1.0, 10)]


def test_confidence_is_that_of_the_level_answered() -> None:
    """A model that answers 2 while its probabilities say 3 was not 0.8 sure of its answer."""
    found = measured([3, 3], [2, 2], [FIVE, FIVE])
    assert [row["confidence"] for row in found["reliability"]] == [pytest.approx(0.05)]


def rows(*confidence: float | None) -> list[list[float] | None]:
    return [None if c is None else [0.0, 0.0, c, 1 - c, 0.0] for c in confidence]


@pytest.mark.parametrize(
    ("gold", "confidence", "area"),
    [
        ([3, 3, 3, 2], (0.9, 0.8, 0.7, 0.6), (0 + 0 + 0 + 1 / 4) / 4),
        ([2, 3, 3, 3], (0.9, 0.8, 0.7, 0.6), (1 + 1 / 2 + 1 / 3 + 1 / 4) / 4),
        ([2, 3, 3, 3], (0.7, 0.7, 0.7, 0.7), 1 / 4),  # nothing to choose by: the overall risk
        ([2, 3, 3, 3], (0.9, 0.7, 0.7, 0.6), (1 + 2 * 1 / 3 + 1 / 4) / 4),
        ([3, 3, 3, 2], (0.9, 0.8, 0.7, None), (0 + 0 + 0 + 1 / 4) / 4),  # without probabilities: trusted last
    ],
)
def test_area_under_risk_and_coverage(gold: list[int], confidence: tuple[float | None, ...], area: float) -> None:
    assert measured(gold, [3] * 4, rows(*confidence))["aurc"]["value"] == pytest.approx(area)


def test_coverage_runs_to_all_cases_and_silence_is_last_and_wrong() -> None:
    found = measured([3] * 8 + [3, 3], [3] * 8 + [None, None], [*rows(*[0.9] * 8), None, None])
    last = found["risk_coverage"][-1]
    assert (last["coverage"], last["confidence"], last["exact"]["value"], last["exact"]["n"]) == (1.0, None, 0.8, 10)
    assert found["risk_coverage"][0]["exact"]["value"] == 1.0
    assert (found["without_probabilities"], found["brier"]["n"], found["aurc"]["n"]) == (2, 8, 10)


def test_intervals_are_by_patient() -> None:
    gold = RNG.integers(1, 6, 80).tolist()
    table = RNG.dirichlet(np.ones(5), 80).tolist()
    once = measured(gold, [3] * 80, table)
    copied = measured(gold * 4, [3] * 320, table * 4, clusters=[str(i) for i in range(80)] * 4)
    for name in ("brier", "aurc", "ece"):
        assert copied[name]["value"] == pytest.approx(once[name]["value"])
        width = copied[name]["high"] - copied[name]["low"]
        assert width == pytest.approx(once[name]["high"] - once[name]["low"], rel=0.25), name


def test_no_probabilities_at_all_are_null_not_zero() -> None:
    found = measured([3, 3], [3, None], [None, None])
    assert (found["brier"]["value"], found["ece"]["value"], found["reliability"]) == (None, None, [])
    assert found["aurc"]["value"] == pytest.approx(0.5)


@pytest.mark.parametrize("row", [(0.5, 0.5, 0.5, 0.5, 0.5), (1.2, -0.2, 0.0, 0.0, 0.0), (float("nan"),) * 5])
def test_what_is_no_distribution_is_refused(row: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="row 2"):
        measured([3, 3], [3, 3], [FIVE, row])
