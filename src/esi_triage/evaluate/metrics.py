"""From predicted and gold levels to numbers: every proportion with its n and its Wilson interval.

An answer without a level is wrong, stays in every denominator and is never dropped.
"""

from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np
from scipy.stats import binomtest

from ..esi import LEVELS

Levels = Sequence[int | None]


class Proportion(TypedDict):
    """`value` = k / n with its 95 % Wilson score interval; all null where n is 0."""

    value: float | None
    low: float | None
    high: float | None
    n: int


def proportion(k: int, n: int) -> Proportion:
    """k of n with the 95 % Wilson interval (Wilson 1927; without continuity correction)."""
    if n == 0:
        return Proportion(value=None, low=None, high=None, n=0)
    interval = binomtest(int(k), int(n)).proportion_ci(confidence_level=0.95, method="wilson")
    return Proportion(value=k / n, low=float(interval.low), high=float(interval.high), n=int(n))


def metrics(gold: Sequence[int], predicted: Levels) -> dict[str, Any]:
    """The headline numbers, per class, the confusion matrix and the best constant answer on the same cases.

    `gold` are levels 1 to 5; `predicted` has the same length, null for no answer. ValueError where they do not match.
    """
    if len(gold) != len(predicted):
        raise ValueError(f"{len(gold)} gold levels but {len(predicted)} predictions")
    if any(level not in LEVELS for level in gold):
        raise ValueError("every gold level must be 1 to 5")
    n = len(gold)
    pairs = list(zip(gold, predicted, strict=True))
    return {
        "n": n,
        "exact": proportion(sum(p == g for g, p in pairs), n),
        "within_one": proportion(sum(p is not None and abs(p - g) <= 1 for g, p in pairs), n),
        "no_parse": proportion(sum(p is None for _, p in pairs), n),
        "under_triage": proportion(sum(p is not None and p > g for g, p in pairs), n),
        "over_triage": proportion(sum(p is not None and p < g for g, p in pairs), n),
        "high_acuity_sensitivity": _share(pairs, lambda g: g <= 2, lambda p: p is not None and p <= 2),
        "high_acuity_specificity": _share(pairs, lambda g: g > 2, lambda p: p is not None and p > 2),
        "predicted_share": {str(k): proportion(sum(p == k for _, p in pairs), n) for k in (*LEVELS, None)},
        "per_class": {str(level): per_class(pairs, level) for level in LEVELS},
        "confusion": confusion(gold, predicted),
        "best_constant": best_constant(gold),
    }


def per_class(pairs: list[tuple[int, int | None]], level: int) -> dict[str, Any]:
    """Sensitivity (of the cases at this level, how many were called so), within one, and positive predictive value."""
    return {
        "gold_n": sum(g == level for g, _ in pairs),
        "predicted_n": sum(p == level for _, p in pairs),
        "sensitivity": _share(pairs, lambda g: g == level, lambda p: p == level),
        "within_one": _share(pairs, lambda g: g == level, lambda p: p is not None and abs(p - level) <= 1),
        "ppv": proportion(sum(g == p == level for g, p in pairs), sum(p == level for _, p in pairs)),
    }


def confusion(gold: Sequence[int], predicted: Levels) -> list[list[int]]:
    """5 rows (gold 1 to 5) by 6 columns (predicted 1 to 5, then no answer)."""
    counts = np.zeros((5, 6), dtype=int)
    np.add.at(counts, ([g - 1 for g in gold], [5 if p is None else p - 1 for p in predicted]), 1)
    return counts.tolist()


def best_constant(gold: Sequence[int]) -> dict[str, Any]:
    """The level that, given as everybody's answer, is exact most often on these cases, and what it scores."""
    level = max(LEVELS, key=lambda k: sum(g == k for g in gold))
    n = len(gold)
    return {
        "level": level,
        "exact": proportion(sum(g == level for g in gold), n),
        "within_one": proportion(sum(abs(g - level) <= 1 for g in gold), n),
    }


def paired(gold: Sequence[int], first: Levels, second: Levels) -> dict[str, Any]:
    """Exact McNemar test of two models' exactness on the same cases.

    `gained`: cases that only `second` has right; `lost`: only `first`. `p` is two-sided and exact (binomial).
    """
    gained = sum(a != g and b == g for g, a, b in zip(gold, first, second, strict=True))
    lost = sum(a == g and b != g for g, a, b in zip(gold, first, second, strict=True))
    difference = (gained - lost) / len(gold)
    return {"n": len(gold), "gained": gained, "lost": lost, "difference": difference, "p": mcnemar(gained, lost)}


def mcnemar(gained: int, lost: int) -> float:
    """The two-sided exact McNemar p of the two discordant counts: a binomial test against one half; 1 where none."""
    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0


def _share(pairs: list[tuple[int, int | None]], among: Any, hit: Any) -> Proportion:
    chosen = [p for g, p in pairs if among(g)]
    return proportion(sum(hit(p) for p in chosen), len(chosen))
