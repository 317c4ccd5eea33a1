"""One model's answers on a set of labelled cases: what every figure is computed from.

Cells, clusters and resamples are made once, when first asked for, and handed on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .statistics.bootstrap import (
    RESAMPLES,
    Kinds,
    cluster_codes,
    kinds_of,
    percentile_figure,
    resampled,
    weighted_kinds,
)
from .statistics.confusion import Levels, Table, cell_of, pseudo_observation
from .statistics.intervals import Figure, clustered_proportion, share_of


@dataclass(frozen=True, eq=False)
class Scored:
    """`gold` (n,) 1 to 5; `predicted`, a level or null a case; `clusters` (n,): cases resampled together, from 0.

    `weights` (n,) are survey weights with mean 1, null where each case counts once. `resamples` and `seed` are those of
    every bootstrap interval. ValueError where the two do not match or hold no level.
    """

    gold: NDArray[np.intp]
    predicted: Levels
    clusters: NDArray[np.intp]
    weights: NDArray[np.float64] | None = None
    resamples: int = RESAMPLES
    seed: int = 0

    @property
    def n(self) -> int:
        """How many cases."""
        return len(self.gold)

    @cached_property
    def cells(self) -> NDArray[np.intp]:
        """(n,): each case's cell of the 5 by 6 table, 0 to 29."""
        return cell_of(self.gold, self.predicted)

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """(n,): whether the answer is the gold level."""
        return self.cells // 6 == self.cells % 6

    @cached_property
    def kinds(self) -> Kinds:
        """The clusters by the cells of their cases."""
        if self.weights is not None:
            return weighted_kinds(self.clusters, self.cells, 30, self.weights)
        return kinds_of(self.clusters, self.cells, 30)

    @cached_property
    def total(self) -> Table:
        """(5, 6): all cases."""
        return self.kinds.total.reshape(5, 6)

    @cached_property
    def drawn(self) -> Table:
        """(resamples, 5, 6): all cases of each resample."""
        drawn = resampled(self.kinds, self.resamples, self.seed, pseudo_observation(self.total))
        return drawn.reshape(-1, 5, 6)

    def answered(self, predicted: Levels) -> "Scored":
        """Other answers to the same cases."""
        return replace(self, predicted=predicted)

    def only(self, mask: NDArray[np.bool_]) -> "Scored":
        """The cases of a (n,) mask alone."""
        chosen = np.flatnonzero(mask)
        weights = None if self.weights is None else self.weights[chosen]
        return replace(
            self,
            gold=self.gold[chosen],
            predicted=[self.predicted[i] for i in chosen.tolist()],
            clusters=np.unique(self.clusters[chosen], return_inverse=True)[1],
            weights=weights,
        )

    def weighted(self, weights: Sequence[float]) -> "Scored":
        """The same answers, each case counting by its survey weight; intervals allow for clusters, not for strata."""
        values = np.array(weights, dtype=float)
        return replace(self, weights=values / values.mean())

    def share(self, counted: NDArray[np.bool_], among: NDArray[np.bool_]) -> Figure:
        """The share of the cases in `among` that are in `counted` too, both (5, 6) masks."""
        hits, cases = self.kinds.tables @ (counted & among).ravel(), self.kinds.tables @ among.ravel()
        n = None if self.weights is None else int(among.ravel()[self.cells].sum())
        return clustered_proportion(hits, cases, self.kinds.clusters, n)

    def share_of(self, flags: Sequence[bool] | NDArray[np.bool_], places: Sequence[int] | None = None) -> Figure:
        """The share of all cases, or of those at `places`, that are flagged; flags and places in the same order."""
        return share_of(flags, self.clusters if places is None else self.clusters[np.array(places, dtype=np.intp)])

    def figure(self, function: Callable[[Table], Any], corrected: bool = False) -> Figure:
        """A function of tables on these answers, with its bootstrap interval, `corrected` for bias.

        Correct what changes smoothly with the table: a mean over levels jumps where a resample has none of a level.
        """
        smoothed = self.total + pseudo_observation(self.total).reshape(5, 6)
        centre = function(smoothed) if corrected else None
        return percentile_figure(function(self.total), function(self.drawn), self.n, self.kinds.clusters.sum(), centre)


def scored(
    gold: Sequence[int],
    predicted: Levels,
    clusters: Sequence[object] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Scored:
    """Levels as `Scored`. `clusters` names each case's patient or group; null is a cluster of its own."""
    return Scored(np.array(gold, dtype=np.intp), predicted, cluster_codes(clusters, len(gold)), None, resamples, seed)
