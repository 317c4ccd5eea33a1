"""Figures over training seeds: their spread, and intervals that allow for seeds and cases together.

All seeds answer the same held-out cases, so seeds and cases are crossed, not nested: a resample draws seeds, and draws
clusters of cases once for all seeds in it. Cases drawn anew within each seed would pass for independent and make the
intervals too narrow (Owen 2007, "The pigeonhole bootstrap"). The tails are Student's with one degree of freedom less
than there are seeds: five seeds are five observations of what training does, however many cases there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..evaluate.scored import Scored
from ..evaluate.statistics.bootstrap import RESAMPLES, cluster_weights, percentile_figure
from ..evaluate.statistics.confusion import SHARES
from ..evaluate.statistics.intervals import Figure

SHOWN = ("exact", "high_acuity_sensitivity", "under_triage", "over_triage")


@dataclass(frozen=True, slots=True)
class SeedSpread:
    """A share over seeds: one value a seed, and the mean with its interval over seeds and cases."""

    values: list[float]
    mean: Figure

    @property
    def sd(self) -> float | None:
        """The standard deviation over seeds; null for one seed."""
        return stdev(self.values) if len(self.values) > 1 else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        if self.mean["value"] is None:  # no case counts with any seed
            return {"seeds": [None] * len(self.values), "min": None, "max": None, "sd": None, **self.mean}
        return {"seeds": self.values, "min": min(self.values), "max": max(self.values), "sd": self.sd, **self.mean}


def spread_over_seeds(runs: Sequence[Scored]) -> dict[str, SeedSpread]:
    """Each of `SHOWN` over the seeds of one member; `runs` are its answers to the same cases, a seed each."""
    found = {name: _spread(*ratios, runs[0].n) for name, ratios in _ratios(runs).items()}
    for name, spread in found.items():
        if set(spread.values) in ({0.0}, {1.0}):  # no resample differs, which is no certainty: Wilson's, of the cases
            found[name] = SeedSpread(spread.values, runs[0].share(*SHARES[name]))
    return found


def difference_over_seeds(first: Sequence[Scored], second: Sequence[Scored]) -> dict[str, SeedSpread]:
    """Second less first, seed by seed on the same cases: both members' answers to a case are drawn together."""
    before, after = _ratios(first), _ratios(second)
    found = {}
    for name in SHOWN:
        (early, early_drawn), (late, late_drawn) = before[name], after[name]
        found[name] = _spread(late - early, late_drawn - early_drawn, first[0].n)
    return found


def _spread(values: NDArray[np.float64], drawn: NDArray[np.float64], n: int) -> SeedSpread:
    """`values` (seeds,) and `drawn` (resamples, seeds): the share of each seed on the cases, and on each resample."""
    seeds = len(values)
    weights = np.concatenate(list(cluster_weights(seeds, RESAMPLES, seed=1))) / seeds
    figure = percentile_figure(values.mean(), (drawn * weights).sum(axis=1), n, seeds if seeds > 1 else n)
    return SeedSpread(values.tolist(), figure)


def _ratios(runs: Sequence[Scored]) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Of each share (seeds,) on all cases and (resamples, seeds) on resampled clusters; NaN where no case counts."""
    clusters = int(runs[0].clusters.max()) + 1
    tables = [
        np.array([np.bincount(run.clusters, mask.ravel()[run.cells], minlength=clusters) for run in runs]).T
        for name in SHOWN
        for mask in (SHARES[name][0] & SHARES[name][1], SHARES[name][1])
    ]  # (clusters, seeds) each: hits, then cases, of each share in turn
    flat = np.concatenate(tables, axis=1)
    drawn = np.concatenate([weights @ flat for weights in cluster_weights(clusters, RESAMPLES, seed=0)])
    totals, resamples = (np.split(sums, len(tables), axis=-1) for sums in (flat.sum(axis=0), drawn))
    return {
        name: (_divided(*totals[2 * i : 2 * i + 2]), _divided(*resamples[2 * i : 2 * i + 2]))
        for i, name in enumerate(SHOWN)
    }


def _divided(hits: NDArray[Any], cases: NDArray[Any]) -> NDArray[np.float64]:
    return np.divide(hits, cases, out=np.full(np.shape(hits), np.nan), where=cases > 0)
