"""How far a model's probabilities can be trusted: calibration, Brier score, and risk against coverage."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..scored import Scored
from .bootstrap import cluster_weights, percentile_figure
from .intervals import Figure, proportion, share_of

Probabilities = Sequence[float]
BINS = 10  # of equal width over 0 to 1


class ByTrust(NamedTuple):
    """Cases (n,) from the most trusted to the least. The first `known` have a level and probabilities.

    `confidence` is the probability of the level answered, -1 where there is none; `bins` its bin.
    """

    confidence: NDArray[np.float64]
    right: NDArray[np.bool_]
    brier: NDArray[np.float64]
    clusters: NDArray[np.intp]
    known: int

    @property
    def bins(self) -> NDArray[np.intp]:
        """(known,): 0 to BINS - 1."""
        return np.minimum((self.confidence[: self.known] * BINS).astype(np.intp), BINS - 1)


def calibration(scored: Scored, probabilities: Sequence[Probabilities | None]) -> dict[str, Any]:
    """Calibration error, Brier score, reliability by bin, and risk against coverage.

    `probabilities` of ESI 1 to 5 by case, null where the model gave none. Confidence is the probability of the level
    that was answered. Brier and calibration rest on the cases with a level and probabilities (their `n` says how many);
    risk and coverage on all: a case without them is the last to be trusted, and one without a level is wrong.
    ValueError where probabilities are no five numbers of 0 to 1 that sum to 1.
    """
    cases = by_trust(scored, probabilities)
    n, groups = scored.n, int(scored.clusters.max(initial=-1)) + 1
    value = scores(cases, np.ones(n))
    weights = cluster_weights(groups, scored.resamples, scored.seed)
    drawn = np.array([scores(cases, row.take(cases.clusters)) for rows in weights for row in rows])
    return {
        "confidence": "probability of the answered level",
        "without_probabilities": n - cases.known,
        "bins": BINS,
        "ece": _basic(value[0], drawn[:, 0], cases.known),
        "brier": percentile_figure(value[1], drawn[:, 1], cases.known, groups),
        "aurc": percentile_figure(value[2], drawn[:, 2], n, groups),
        "reliability": _reliability(cases),
        "risk_coverage": risk_coverage(cases),
    }


def by_trust(scored: Scored, probabilities: Sequence[Probabilities | None]) -> ByTrust:
    """The cases sorted by confidence."""
    table = checked(probabilities, scored.n)
    level = np.array([p or 0 for p in scored.predicted])
    known = ~np.isnan(table[:, 0]) & (level > 0)
    confidence = np.where(known, table[np.arange(scored.n), level - 1], -1.0)  # below every probability
    brier = ((table - np.eye(5)[scored.gold - 1]) ** 2).sum(axis=1)
    order = np.argsort(-confidence, kind="stable")
    return ByTrust(confidence[order], scored.right[order], brier[order], scored.clusters[order], int(known.sum()))


def scores(cases: ByTrust, weights: NDArray[np.float64]) -> tuple[float, float, float]:
    """Expected calibration error, Brier score and area under risk and coverage, each case counting `weights` times.

    The calibration error is the mean, over cases, of the distance in their bin from mean confidence to share right. The
    Brier score is the sum over the five levels (0 to 2). The area is the mean, over cases, of the share wrong among
    those trusted at least as much (AURC); equal confidence is trusted together. Lower is better for all three.
    """
    known = slice(0, cases.known)
    n = weights[known].sum()
    if n > 0:
        starts = np.flatnonzero(np.diff(cases.bins, prepend=-1))
        gaps = np.add.reduceat(weights[known] * (cases.right[known] - cases.confidence[known]), starts)
        error, brier = float(np.abs(gaps).sum() / n), float((weights[known] * cases.brier[known]).sum() / n)
    else:
        error = brier = float("nan")
    ends = np.flatnonzero(np.diff(cases.confidence, append=-2.0))
    trusted, errors = np.cumsum(weights)[ends], np.cumsum(weights * ~cases.right)[ends]
    risk = errors / np.maximum(trusted, 1)
    return error, brier, float((np.diff(trusted, prepend=0) * risk).sum() / trusted[-1])


def checked(probabilities: Sequence[Probabilities | None], n: int) -> NDArray[np.float64]:
    """(n, 5), a row of NaN where there are none. ValueError, naming the first row (from 1) that is no distribution."""
    if len(probabilities) != n:
        raise ValueError(f"{n} gold levels but {len(probabilities)} rows of probabilities")
    table = np.array([[np.nan] * 5 if row is None else row for row in probabilities], dtype=float).reshape(n, -1)
    given = np.array([row is not None for row in probabilities], dtype=bool)
    if n and table.shape[1] != 5:
        raise ValueError(f"probabilities have {table.shape[1]} columns; give five, ESI 1 to 5")
    good = (table >= 0).all(axis=1) & (np.abs(table.sum(axis=1) - 1) < 1e-3)
    for row in np.flatnonzero(given & ~good):
        raise ValueError(f"probabilities, row {row + 1}: {table[row].tolist()}; give five of 0 to 1 that sum to 1")
    return table


def _basic(value: Any, resamples: Any, n: int) -> Figure:
    """The basic bootstrap interval: a resample's calibration error is too large by about what the data's own is."""
    if np.isnan(value):
        return Figure(value=None, low=None, high=None, n=n)
    low, high = np.nanquantile(resamples, [0.025, 0.975])
    return Figure(
        value=float(value),
        low=float(max(0, min(2 * value - high, value))),
        high=float(max(2 * value - low, value)),
        n=n,
    )


def _reliability(cases: ByTrust) -> list[dict[str, Any]]:
    """By bin of confidence: its limits, mean confidence, and the share right. Empty bins are left out."""
    known, bins = slice(0, cases.known), cases.bins
    found = []
    for b in np.unique(bins).tolist():
        found.append(
            {
                "from": b / BINS,
                "to": (b + 1) / BINS,
                "confidence": float(cases.confidence[known][bins == b].mean()),
                "exact": share_of(cases.right[known][bins == b], cases.clusters[known][bins == b]),
            }
        )
    return found


def risk_coverage(cases: ByTrust) -> list[dict[str, Any]]:
    """What is right when only the most trusted cases are answered, from a tenth of them to all.

    Each point: the share answered, the confidence from which on (null where it takes cases without one), exactness.
    """
    n, right = len(cases.right), np.cumsum(cases.right)
    ends = np.flatnonzero(np.diff(cases.confidence, append=-2.0))
    wanted = [-(-twentieths * n // 20) - 1 for twentieths in range(2, 21)]
    points = sorted({int(ends[np.searchsorted(ends, place)]) for place in wanted})
    return [
        {
            "coverage": (end + 1) / n,
            "confidence": float(cases.confidence[end]) if end < cases.known else None,
            "exact": proportion(float(right[end]), end + 1),
        }
        for end in points
    ]
