"""Which cases training draws: by class factors, or by a temperature over the class shares."""

import pytest

from esi_triage.data.corpus.vignettes import open_cases
from esi_triage.data.sampling import class_shares, oversampled, shares_report, temperature_factors, trainable

CASES = list(open_cases(3000, core=True))
SHARES = class_shares(CASES)


def test_oversampling_draws_by_weight() -> None:
    drawn = oversampled(CASES, {1: 20.0}, n=20_000, seed=3)
    weight = {level: share * (20 if level == 1 else 1) for level, share in SHARES.items()}
    expected = {level: w / sum(weight.values()) for level, w in weight.items()}
    assert class_shares(drawn) == pytest.approx(expected, abs=0.02)
    assert drawn == oversampled(CASES, {1: 20.0}, n=20_000, seed=3)


@pytest.mark.parametrize(("temperature", "expected"), [(1.0, SHARES), (1e9, dict.fromkeys(SHARES, 0.2))])
def test_temperature_goes_from_the_shares_as_they_are_to_equal_shares(
    temperature: float, expected: dict[int, float]
) -> None:
    drawn = oversampled(CASES, temperature_factors(CASES, temperature), n=20_000, seed=1)
    assert class_shares(drawn) == pytest.approx(expected, abs=0.02)


def test_a_temperature_of_two_draws_by_the_root_of_the_share() -> None:
    roots = {level: share**0.5 for level, share in SHARES.items()}
    expected = {level: root / sum(roots.values()) for level, root in roots.items()}
    drawn = oversampled(CASES, temperature_factors(CASES, 2.0), n=30_000, seed=5)
    assert class_shares(drawn) == pytest.approx(expected, abs=0.02)


def test_a_temperature_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="temperature"):
        temperature_factors(CASES, 0)


def test_the_report_has_both_shares() -> None:
    drawn = oversampled(CASES, {1: 5.0, 2: 3.0}, n=2000, seed=0)
    report = shares_report(CASES, drawn)
    assert report["cases"]["1"] == round(SHARES[1], 4)
    assert report["drawn"]["1"] > 2 * report["cases"]["1"]
    assert sum(report["drawn"].values()) == pytest.approx(1, abs=0.001)


def test_nothing_labelled_gives_nothing() -> None:
    assert oversampled([], {1: 5.0}, n=10, seed=0) == []


def test_nothing_is_trained_on_that_is_held_out_unlabelled_or_of_a_reversed_hospital() -> None:
    train = CASES[0].model_copy(update={"split": "train", "gold": 3})
    left_out = [{"split": "held_out"}, {"split": None}, {"gold": None}, {"quality": ("reversed-group",)}]
    kept = train.model_copy(update={"quality": ("implausible-spo2",)})
    assert trainable([train, *(train.model_copy(update=other) for other in left_out), kept]) == [train, kept]
