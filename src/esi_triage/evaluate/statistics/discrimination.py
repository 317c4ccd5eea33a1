"""How well urgencies rank a 0/1 outcome: AUROC and AUPRC of whole resamples, and who of the 1s is called urgent.

DeLong's variance takes cases for independent and knows no AUPRC; a bootstrap over clusters serves both.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from .bootstrap import cluster_weights

STATISTICS = ("auroc", "auprc", "placed_3_to_5")
NO_ANSWER_LOW, NO_ANSWER_HIGH = -9.0, 9.0  # beyond every urgency of -5 to -1


class Ranked(NamedTuple):
    """By statistic of STATISTICS: what the cases give (3,), and what each resample gives (resamples, 3)."""

    value: NDArray[np.float64]
    drawn: NDArray[np.float64]


def urgency_of(expected: Sequence[float | None], outcome: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(n,) from expected levels (1 is the most urgent): the higher, the more urgent.

    No answer ranks below all answers where the outcome came, and above all where it did not: no model gains by it.
    """
    missing = np.where(outcome, NO_ANSWER_LOW, NO_ANSWER_HIGH)
    return np.array([missing[i] if level is None else -level for i, level in enumerate(expected)], dtype=float)


def ranked(
    urgencies: Sequence[NDArray[np.float64]],
    placed_low: Sequence[NDArray[np.bool_]],
    outcome: NDArray[np.bool_],
    clusters: NDArray[np.intp],
    resamples: int,
    seed: int,
) -> list[Ranked]:
    """For each of several models, its urgencies (n,) and whom it places in 3 to 5 (or gives no level) (n,).

    All are resampled together, whole clusters at a time, so that differences are paired. Without a case all is NaN.
    """
    n = int(clusters.max(initial=-1)) + 1
    if n == 0:
        return [Ranked(np.full(len(STATISTICS), np.nan), np.empty((0, len(STATISTICS)))) for _ in urgencies]
    tables = [_table(urgency, outcome, clusters, n) for urgency in urgencies]
    low = [np.bincount(clusters, weights=placed & outcome, minlength=n) for placed in placed_low]
    ones = np.bincount(clusters, weights=outcome, minlength=n)
    blocks = [np.ones((1, n)), *cluster_weights(n, resamples, seed)]
    found = []
    for table, missed in zip(tables, low, strict=True):
        rows = np.concatenate([_statistics(np.asarray((table.T @ w.T).T), w @ missed, w @ ones) for w in blocks])
        found.append(Ranked(rows[0], rows[1:]))
    return found


def _table(urgency: NDArray[np.float64], outcome: NDArray[np.bool_], clusters: NDArray[np.intp], n: int) -> csr_matrix:
    """(clusters, 2 x distinct urgencies): cases without and with the outcome, the most urgent first."""
    codes = np.unique(-urgency, return_inverse=True)[1]
    width = 2 * (int(codes.max(initial=-1)) + 1)
    return csr_matrix((np.ones(len(codes)), (clusters, 2 * codes + outcome)), shape=(n, width))


def _statistics(
    counts: NDArray[np.float64], missed: NDArray[np.float64], ones: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(rows, 3) of STATISTICS from counts (rows, 2 x urgencies), the most urgent first; NaN where undefined."""
    without, having = counts[:, ::2], counts[:, 1::2]
    false, true = without.cumsum(axis=1), having.cumsum(axis=1)
    zeros, all_ones = false[:, -1], true[:, -1]
    with np.errstate(invalid="ignore", divide="ignore"):
        above = (having * (zeros[:, None] - false + without / 2)).sum(axis=1)
        precision = true / np.maximum(true + false, 1e-300)
        auprc = (having * precision).sum(axis=1) / all_ones
        return np.column_stack([above / (zeros * all_ones), auprc, missed / ones])
