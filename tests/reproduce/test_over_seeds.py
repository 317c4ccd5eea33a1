"""Spread over seeds, and intervals that allow for seeds and cases."""

import numpy as np
import pytest
from made_tournament import made_scores

from esi_triage.evaluate.scored import scored
from esi_triage.reproduce.over_seeds import SHOWN, difference_over_seeds, spread_over_seeds

GOLD = [1, 1, 2, 2, 3, 3, 4, 5]


def test_the_spread_is_that_of_the_seeds() -> None:
    runs = [scored(GOLD, levels) for levels in ([1, 1, 2, 2, 3, 3, 4, 5], [3, 1, 1, 2, 3, 3, 5, None])]
    found = spread_over_seeds(runs)
    assert found["exact"].values == [1.0, 4 / 8]
    assert found["exact"].mean["value"] == 0.75
    assert found["exact"].sd == pytest.approx(np.std([1, 0.5], ddof=1))
    assert found["high_acuity_sensitivity"].values == [1.0, 3 / 4]  # ESI-2 called 1 is found, ESI-1 called 3 is not
    assert found["under_triage"].values == [0.0, 2 / 8]
    assert found["over_triage"].values == [0.0, 1 / 8]
    assert found["exact"].to_dict()["min"] == 0.5


def test_differences_are_seed_by_seed() -> None:
    first, second = made_scores(3, 200, 0.5), made_scores(3, 200, 0.7)
    found = difference_over_seeds(first, second)
    for name in SHOWN:
        apart = [
            b - a for a, b in zip(*(spread_over_seeds(runs)[name].values for runs in (first, second)), strict=True)
        ]
        assert found[name].values == pytest.approx(apart)
    assert difference_over_seeds(first, first)["exact"].mean == {"value": 0, "low": 0, "high": 0, "n": 200}


def test_one_seed_speaks_of_its_cases() -> None:
    (run,) = made_scores(1, 300, 0.6)
    found = spread_over_seeds([run])["exact"]
    assert found.sd is None
    low, high = found.mean["low"], found.mean["high"]
    assert low is not None
    assert high is not None
    assert high - low == pytest.approx(2 * 1.96 * (0.24 / 300) ** 0.5, rel=0.15)


def test_the_same_answers_with_every_seed_are_no_more_evidence_than_one() -> None:
    (run,) = made_scores(1, 300, 0.6)
    one, five = spread_over_seeds([run])["exact"].mean, spread_over_seeds([run] * 5)["exact"].mean
    assert float(five["low"] or 0) <= float(one["low"] or 0) + 1e-9
    assert float(five["high"] or 0) >= float(one["high"] or 0) - 1e-9


def test_an_interval_over_seeds_and_cases_holds_the_truth_about_as_often_as_it_says() -> None:
    held = 0
    for trial in range(30):
        found = spread_over_seeds(made_scores(5, 120, 0.6, spread=0.05, seed=trial))["exact"].mean
        assert found["low"] is not None
        assert found["high"] is not None
        held += found["low"] <= 0.6 <= found["high"]
    assert held >= 26  # of 30


def test_a_share_of_0_with_every_seed_is_not_certain() -> None:
    mean = spread_over_seeds([scored([1] * 20, [1] * 20)] * 3)["under_triage"].mean
    assert (mean["value"], mean["low"]) == (0, 0)
    assert float(mean["high"] or 0) > 0.1


def test_a_share_of_which_there_is_no_case_has_no_interval() -> None:
    found = spread_over_seeds([scored([4, 5], [4, 4]), scored([4, 5], [4, 5])])["high_acuity_sensitivity"]
    assert found.mean["value"] is None
    assert found.to_dict()["max"] is None
