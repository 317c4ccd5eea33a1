"""Intervals: Wilson's against SciPy and statsmodels, and a bootstrap that draws patients, against a slow one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from esi_triage.evaluate.scored import scored
from esi_triage.evaluate.statistics.bootstrap import cluster_codes, cluster_weights, kinds_of, resampled
from esi_triage.evaluate.statistics.confusion import cell_of
from esi_triage.evaluate.statistics.intervals import clustered_proportion, proportion, wilson
from esi_triage.evaluate.statistics.kappa import quadratic_kappa
from esi_triage.evaluate.statistics.metrics import metrics

RNG = np.random.default_rng(5)


@settings(deadline=None)
@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_that_of_scipy_and_statsmodels(counts: tuple[int, int]) -> None:
    k, n = counts
    found = proportion(k, n)
    scipy = binomtest(k, n).proportion_ci(method="wilson")
    assert (found["low"], found["high"]) == (pytest.approx(scipy.low, abs=1e-12), pytest.approx(scipy.high, abs=1e-12))
    low, high = proportion_confint(k, n, method="wilson")
    assert (found["low"], found["high"]) == (pytest.approx(low, abs=1e-12), pytest.approx(high, abs=1e-12))
    assert (found["value"], found["n"]) == (k / n, n)


def clustered(hits: list[int], among: list[int]) -> tuple[float, float]:
    found = clustered_proportion(np.array(hits), np.array(among), np.ones(len(hits)))
    assert found["low"] is not None
    assert found["high"] is not None
    return found["low"], found["high"]


def test_one_case_a_patient_is_wilson() -> None:
    assert clustered([1, 0, 1, 1], [1, 1, 1, 1]) == wilson(3 / 4, 4)
    assert clustered([1, 0, 1, 0], [1, 1, 1, 0]) == wilson(2 / 3, 3)


def test_patients_whose_cases_are_all_alike_count_once_each() -> None:
    """Forty patients with five like cases are 40 patients, not 200 cases."""
    width = {name: high - low for name, (low, high) in {
        "alike": clustered([5] * 20 + [0] * 20, [5] * 40),
        "apart": clustered([3, 2] * 20, [5] * 40),
        "forty": wilson(0.5, 40),
        "two hundred": wilson(0.5, 200),
    }.items()}  # fmt: skip
    assert width["alike"] == pytest.approx(width["forty"], rel=0.08)
    assert width["apart"] == pytest.approx(width["two hundred"], rel=0.08)


def test_where_all_agree_every_patient_counts_once() -> None:
    assert clustered([5] * 40, [5] * 40) == wilson(1, 40)


def test_a_patient_s_cases_are_drawn_together() -> None:
    """The mistake of resampling rows: with each case five times over, the interval must not shrink."""
    gold = RNG.integers(1, 6, 60).tolist()
    predicted = [g if RNG.random() < 0.7 else 3 for g in gold]
    once = metrics(scored(gold, predicted))
    copied = metrics(scored(gold * 5, predicted * 5, clusters=[str(i) for i in range(60)] * 5))
    by_row = metrics(scored(gold * 5, predicted * 5))
    for name in ("qwk", "ac2", "macro_f1", "macro_mae", "expected_cost"):
        width = {
            k: m[name]["high"] - m[name]["low"] for k, m in {"once": once, "copied": copied, "row": by_row}.items()
        }
        assert width["copied"] == pytest.approx(width["once"], rel=0.2), name
        assert width["row"] < 0.65 * width["once"], name
        assert copied[name]["value"] == pytest.approx(once[name]["value"])
    assert copied["exact"]["high"] - copied["exact"]["low"] == pytest.approx(
        once["exact"]["high"] - once["exact"]["low"], rel=0.1
    )


def test_the_fast_bootstrap_is_the_slow_one() -> None:
    """Kinds drawn by one multinomial against patients drawn one by one: the same distribution of kappa."""
    n = 90
    gold, predicted = RNG.integers(1, 6, n).tolist(), RNG.integers(1, 6, n).tolist()
    subjects = [str(i % 40) for i in range(n)]
    cells, patients = cell_of(gold, predicted), cluster_codes(subjects, n)
    fast = quadratic_kappa(resampled(kinds_of(patients, cells, 30), 4000, 1).reshape(-1, 5, 6))
    cases = [cells[patients == patient] for patient in range(40)]
    rng, slow = np.random.default_rng(2), []
    for _ in range(4000):
        drawn = np.concatenate([cases[patient] for patient in rng.integers(0, 40, 40)])
        slow.append(float(quadratic_kappa(np.bincount(drawn, minlength=30).reshape(5, 6))))
    for q in (0.025, 0.25, 0.5, 0.75, 0.975):
        assert np.quantile(fast, q) == pytest.approx(np.quantile(slow, q), abs=0.15 * float(np.std(slow)))


def test_resamples_keep_the_number_of_patients() -> None:
    kinds = kinds_of(np.arange(50), RNG.integers(0, 30, 50), 30)
    assert (resampled(kinds, 20, 0).sum(axis=1) == 50).all()
    assert (resampled(kinds, 20, 0, np.full(30, 0.1)).sum(axis=1) == 50).all()
    weights = np.concatenate([*cluster_weights(50, 20, 0)])
    assert weights.shape == (20, 50)
    assert (weights.sum(axis=1) == 50).all()


def test_the_same_seed_gives_the_same_interval() -> None:
    gold, predicted = RNG.integers(1, 6, 80).tolist(), RNG.integers(1, 6, 80).tolist()
    first, again, other = (metrics(scored(gold, predicted, seed=seed))["qwk"] for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert first["value"] == other["value"]


def test_a_small_set_without_an_error_is_not_certain() -> None:
    """36 of 36 right: a plain bootstrap would say kappa 1.00 (1.00 to 1.00)."""
    gold = [1] * 14 + [2] * 11 + [3] * 5 + [4] * 4 + [5] * 2
    found = metrics(scored(gold, gold))
    for name in ("qwk", "ac2", "macro_f1"):
        assert found[name]["value"] == 1
        assert found[name]["low"] < 0.99, name
    assert found["macro_mae"]["high"] > 0.02
    many = metrics(scored(gold * 100, gold * 100))
    assert many["qwk"]["low"] > 0.995


def test_a_case_without_a_patient_is_one_of_its_own() -> None:
    assert cluster_codes(["a", None, "a", None], 4).tolist() == [0, 1, 0, 2]
    assert metrics(scored([1, 2, 3], [1, 2, 3], clusters=["a", None, "a"]))["intervals"]["patients"] == 2
    with pytest.raises(ValueError, match="clusters"):
        metrics(scored([1, 2], [1, 2], clusters=["a"]))
