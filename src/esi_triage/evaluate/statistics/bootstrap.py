"""Resampling clusters, not cases: the totals of whole resamples, and the interval they give.

A cluster is a patient, or a group of patients that hang together (the visits of one hospital). A resample draws as many
clusters as there are, with replacement, and takes each with all of its cases. Clusters whose cases fall into the same
cells are of one kind and are drawn together: a resample of 100,000 answers is one multinomial draw over the few kinds
there are, exactly, not approximately.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtrit

from .intervals import LEVEL, Figure

RESAMPLES = 2000
_BELOW = (0.02, 0.98)  # a correction beyond these would rest on a handful of resamples
_BLOCK = 4_000_000  # weights held at a time: 32 MB


class Kinds(NamedTuple):
    """`tables` (kinds, cells): the cases of one such cluster, by cell. `clusters` (kinds,): how many there are."""

    tables: NDArray[np.float64]
    clusters: NDArray[np.float64]

    @property
    def total(self) -> NDArray[np.float64]:
        """(cells,): all cases by cell."""
        return self.clusters @ self.tables


def cluster_codes(clusters: Sequence[object] | None, n: int) -> NDArray[np.intp]:
    """Each case's cluster as a number from 0. A case whose cluster is unknown (null) counts as one of its own."""
    if clusters is None:
        return np.arange(n)
    if len(clusters) != n:
        raise ValueError(f"{n} gold levels but {len(clusters)} clusters")
    codes: dict[object, int] = {}
    return np.array([codes.setdefault((i,) if c is None else c, len(codes)) for i, c in enumerate(clusters)], np.intp)


def kinds_of(clusters: NDArray[np.intp], cells: NDArray[np.intp], width: int) -> Kinds:
    """The kinds of clusters there are, from each case's cluster and cell (0 to width - 1)."""
    order = np.lexsort((cells, clusters))
    ends = np.flatnonzero(np.diff(clusters[order], append=-1)) + 1
    cases = cells[order].astype(np.int64)
    counts: Counter[bytes] = Counter()
    start = 0
    for end in ends.tolist():
        counts[cases[start:end].tobytes()] += 1
        start = end
    tables = [np.bincount(np.frombuffer(kind, np.int64), minlength=width) for kind in counts]
    return Kinds(np.array(tables, dtype=float).reshape(-1, width), np.array([*counts.values()], dtype=float))


def weighted_kinds(
    clusters: NDArray[np.intp], cells: NDArray[np.intp], width: int, weights: NDArray[np.float64]
) -> Kinds:
    """Each cluster as a kind of its own, its cases counting by their weights."""
    n = int(clusters.max(initial=-1)) + 1
    tables = np.bincount(clusters * width + cells, weights=weights, minlength=n * width).astype(float)
    return Kinds(tables.reshape(n, width), np.ones(n))


def resampled(kinds: Kinds, resamples: int, seed: int, pseudo: NDArray[Any] | None = None) -> NDArray[np.float64]:
    """(resamples, cells): the cases by cell in each resample.

    `pseudo` (cells,) are clusters with one case that join those that are drawn from, with these weights (a smoothed
    bootstrap); a resample still has as many clusters as the data.
    """
    tables, clusters = kinds
    if len(clusters) == 0:
        return np.zeros((resamples, tables.shape[1]))
    if pseudo is not None:
        extra = np.flatnonzero(pseudo)
        tables = np.concatenate([tables, np.eye(tables.shape[1])[extra]])
        clusters = np.concatenate([clusters, pseudo[extra]])
    n, shares = int(kinds.clusters.sum()), clusters / clusters.sum()
    rng = np.random.default_rng(seed)
    block = max(1, _BLOCK // len(shares))
    sizes = [min(block, resamples - done) for done in range(0, resamples, block)]
    return np.concatenate([rng.multinomial(n, shares, size=size) @ tables for size in sizes])


def cluster_weights(n: int, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Blocks of (some resamples, n): how often each cluster is in it. For figures that are not functions of cells."""
    rng = np.random.default_rng(seed)
    block = max(1, _BLOCK // n)
    for done in range(0, resamples, block):
        drawn = [np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(min(block, resamples - done))]
        yield np.array(drawn, dtype=float)


def percentile_figure(value: Any, resamples: Any, n: float, clusters: float, centre: Any = None) -> Figure:
    """`value` with the 95 % percentile interval of its resamples; all null where the data do not define it.

    The tails are those that Student's t asks for with so many clusters (the expanded percentile interval of Hesterberg
    2015). `centre` is the figure of what was drawn from: where it is not the median of the resamples, both ends move
    (the bias-corrected interval of Efron 1981). Resamples that do not define the figure (NaN) are left out.
    """
    defined = resamples[~np.isnan(resamples)]
    if np.isnan(value) or defined.size == 0:
        return Figure(value=None, low=None, high=None, n=int(n))
    freedom = max(clusters - 1, 1)
    tail = stdtrit(freedom, (1 - LEVEL) / 2) * np.sqrt((freedom + 1) / freedom)
    bias = 0.0
    if centre is not None and not np.isnan(centre):
        below = ((defined < centre).mean() + (defined <= centre).mean()) / 2
        bias = ndtri(np.clip(below, *_BELOW))
    low, high = np.quantile(defined, ndtr([2 * bias + tail, 2 * bias - tail]))
    # a smoothed bootstrap is centred a little below what was seen; the interval always holds what was seen
    return Figure(value=float(value), low=float(min(low, value)), high=float(max(high, value)), n=int(n))
