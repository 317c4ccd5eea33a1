"""Figures with their 95 % interval. Proportions have Wilson's, also where a patient or hospital has several cases."""

import math
from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

LEVEL = 0.95
Z = float(ndtri((1 + LEVEL) / 2))


class Figure(TypedDict):
    """A number with its 95 % interval and the count of cases it rests on; null where there are none to tell it from."""

    value: float | None
    low: float | None
    high: float | None
    n: int


def proportion(k: float, n: float) -> Figure:
    """k of n independent cases with the 95 % Wilson score interval (Wilson 1927, without continuity correction)."""
    if n == 0:
        return Figure(value=None, low=None, high=None, n=0)
    low, high = wilson(k / n, n)
    return Figure(value=float(k / n), low=low, high=high, n=int(n))


def clustered_proportion(
    hits: NDArray[Any], among: NDArray[Any], clusters: NDArray[Any], cases: int | None = None
) -> Figure:
    """The share of `among` that are `hits`, where a cluster (a patient, a hospital) may have several cases.

    Each array (kinds,): hits and cases of one cluster of the kind, and how many such clusters there are. `cases` is
    how many there are where hits and cases are sums of survey weights. Wilson's interval assumes independent cases.
    Here it takes n divided by the design effect (Rao and Scott 1992), never more than n; where all cases agree, so that
    nothing tells how alike a cluster's cases are, one case a cluster. With one case a cluster it is Wilson's interval.
    """
    k, n = float(hits @ clusters), float(among @ clusters)
    if n == 0 or (cases is None and among.max() <= 1):
        return proportion(k, n)
    share, groups, most = k / n, float(clusters[among > 0].sum()), n if cases is None else cases
    if k in (0, n):
        effective = groups
    else:
        variance = ((hits - share * among) ** 2 @ clusters) / n**2 * groups / max(groups - 1, 1)
        effective = min(most, share * (1 - share) / max(float(variance), 1e-300))
        if groups > 1:  # few clusters: the variance itself is uncertain (Korn and Graubard 1998)
            effective *= (Z / float(stdtrit(groups - 1, (1 + LEVEL) / 2))) ** 2
    low, high = wilson(share, effective)
    return Figure(value=share, low=low, high=high, n=int(most))


def share_of(flags: Sequence[bool] | NDArray[np.bool_], clusters: NDArray[np.intp]) -> Figure:
    """The share of cases that are flagged; `clusters` has each case's cluster."""
    among = np.bincount(clusters)
    return clustered_proportion(np.bincount(clusters, weights=np.array(flags, float)), among, np.ones(len(among)))


def wilson(share: float, n: float) -> tuple[float, float]:
    """Wilson's interval for a share of `n` cases; n need not be whole."""
    z2 = Z * Z / n
    centre, half = share + z2 / 2, math.sqrt(share * (1 - share) * z2 + z2 * z2 / 4)
    low, high = (centre - half) / (1 + z2), (centre + half) / (1 + z2)
    return max(0.0, low) if share else 0.0, min(1.0, high) if share < 1 else 1.0
