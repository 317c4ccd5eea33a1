"""Repeatability: how much the answers to one case differ when it is asked again."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..scored import Scored
from ..statistics.bootstrap import cluster_weights, percentile_figure
from ..statistics.confusion import Levels


def repeatability(first: Scored, again: Sequence[Levels]) -> dict[str, Any]:
    """`again` are further answers to the same cases (k in all, k >= 2), a level by case, null for no answer.

    `agreement`: of all pairs of answers to one case, the share that are the same level; no answer agrees with nothing.
    `unanimous`: cases on which all k answers are the same level. `entropy`: of the answers to one case, in bits, with
    no answer as one of its own; 0 is always the same. `exact` of each sample and of the commonest level (ties: the
    more urgent). ValueError where the samples differ in length.
    """
    samples = [first.predicted, *again]
    if len(samples) < 2 or len({len(sample) for sample in samples}) != 1:
        raise ValueError(f"repeatability needs two samples or more over the same cases, not {[*map(len, samples)]}")
    k = len(samples)
    levels = (1, 2, 3, 4, 5, None)
    counts = np.array([[sum(s[i] == level for s in samples) for level in levels] for i in range(first.n)])
    counts = counts.reshape(first.n, 6)
    same = (counts[:, :5] * (counts[:, :5] - 1)).sum(axis=1) / (k * (k - 1))
    shares = counts / k
    entropy = -(shares * np.log2(shares, out=np.zeros_like(shares), where=shares > 0)).sum(axis=1) + 0.0
    agreement, bits = _means(np.column_stack([same, entropy]), first)
    commonest = np.where(counts[:, :5].any(axis=1), counts[:, :5].argmax(axis=1) + 1, 0)
    return {
        "k": k,
        "n": first.n,
        "agreement": agreement,
        "entropy": bits,
        "unanimous": first.share_of((counts[:, :5] == k).any(axis=1)),
        "exact": [first.share_of(first.answered(sample).right) for sample in samples],
        "commonest_exact": first.share_of(commonest == first.gold),
    }


def _means(values: NDArray[np.float64], cases: Scored) -> list[Any]:
    """The mean of each column of `values` (cases, figures), with its interval."""
    columns = (*values.T, np.ones(len(values)))
    sums = np.column_stack([np.bincount(cases.clusters, weights=column) for column in columns])
    drawn = np.concatenate([rows @ sums for rows in cluster_weights(len(sums), cases.resamples, cases.seed)])
    return [
        percentile_figure(values[:, i].mean(), drawn[:, i] / drawn[:, -1], len(values), len(sums))
        for i in range(values.shape[1])
    ]
