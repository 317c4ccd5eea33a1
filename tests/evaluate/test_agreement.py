"""Agreement figures against independent implementations on random tables."""

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score, f1_score, mean_absolute_error

from esi_triage.evaluate.scored import scored
from esi_triage.evaluate.statistics.kappa import class_f1, gwet_ac2, macro_f1, macro_mae, quadratic_kappa
from esi_triage.evaluate.statistics.metrics import confusion

levels = st.integers(1, 5)
answers = st.lists(st.tuples(levels, st.none() | levels), min_size=2, max_size=60)
FARTHEST = {1: 5, 2: 5, 3: 5, 4: 1, 5: 1}


def table_of(pairs: Sequence[tuple[int, int | None]]) -> np.ndarray:
    return np.array(confusion(scored([g for g, _ in pairs], [p for _, p in pairs])), dtype=float)


def spoken(pairs: list[tuple[int, int | None]]) -> tuple[list[int], list[int]]:
    """Gold and answers as another implementation can take them: silence as the level farthest from gold."""
    return [g for g, _ in pairs], [FARTHEST[g] if p is None else p for g, p in pairs]


@settings(deadline=None)
@given(answers)
def test_kappa_is_scikit_learn_s(pairs: list[tuple[int, int | None]]) -> None:
    gold, predicted = spoken(pairs)
    found = float(quadratic_kappa(table_of(pairs)))
    if len({*gold, *predicted}) == 1:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(cohen_kappa_score(gold, predicted, weights="quadratic", labels=[1, 2, 3, 4, 5]))


def ac2_by_hand(gold: list[int], predicted: list[int]) -> float:
    """Gwet 2014: weights 1 - |k - l| / (q - 1), chance T_w / (q (q - 1)) * sum of pi_k (1 - pi_k)."""
    q, n = 5, len(gold)
    weight = {(k, m): 1 - abs(k - m) / (q - 1) for k in range(1, 6) for m in range(1, 6)}
    agreed = sum(weight[pair] for pair in zip(gold, predicted, strict=True)) / n
    pi = [(gold.count(k) + predicted.count(k)) / (2 * n) for k in range(1, 6)]
    chance = sum(weight.values()) / (q * (q - 1)) * sum(p * (1 - p) for p in pi)
    return (agreed - chance) / (1 - chance)


@settings(deadline=None)
@given(answers)
def test_ac2_is_gwet_s_formula(pairs: list[tuple[int, int | None]]) -> None:
    assert float(gwet_ac2(table_of(pairs))) == pytest.approx(ac2_by_hand(*spoken(pairs)), abs=1e-12)


def test_ac2_keeps_its_head_where_kappa_loses_it() -> None:
    """Nearly all cases of one level: 96 % agreement, kappa near 0, AC2 near the agreement."""
    table = table_of([(3, 3)] * 96 + [(3, 2)] * 2 + [(2, 3)] * 2)
    assert float(quadratic_kappa(table)) < 0.05
    assert float(gwet_ac2(table)) > 0.95


@settings(deadline=None)
@given(answers)
def test_f1_is_scikit_learn_s_and_silence_a_miss(pairs: list[tuple[int, int | None]]) -> None:
    gold, predicted = [g for g, _ in pairs], [p or 0 for _, p in pairs]
    there = sorted({*gold})
    none, zero = cast(Any, None), cast(Any, 0)  # scikit-learn's annotations say str for both
    by_level: Any = f1_score(gold, predicted, labels=there, average=none, zero_division=zero)
    assert float(macro_f1(table_of(pairs))) == pytest.approx(by_level.mean())
    assert class_f1(table_of(pairs))[[level - 1 for level in there]] == pytest.approx(by_level)


@settings(deadline=None)
@given(answers)
def test_macro_mae_is_the_mean_over_levels(pairs: list[tuple[int, int | None]]) -> None:
    gold, predicted = (np.array(values) for values in spoken(pairs))
    expected = np.mean([mean_absolute_error(gold[gold == k], predicted[gold == k]) for k in np.unique(gold)])
    assert float(macro_mae(table_of(pairs))) == pytest.approx(expected)


def test_macro_mae_shows_a_collapse_that_exactness_hides() -> None:
    collapsed = table_of([(3, 3)] * 95 + [(1, 3)] * 3 + [(5, 3)] * 2)
    assert float(macro_mae(collapsed)) == pytest.approx((2 + 0 + 2) / 3)


def test_many_tables_at_once_are_as_one_by_one() -> None:
    tables = np.random.default_rng(0).integers(0, 9, (20, 5, 6)).astype(float)
    for figure in (quadratic_kappa, gwet_ac2, macro_f1, macro_mae):
        assert figure(tables) == pytest.approx([float(figure(table)) for table in tables])
