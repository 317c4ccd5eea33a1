"""Repeatability: how much the answers to one case differ when it is asked again."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bootstrap import RESAMPLES, patient_codes, patient_weights, percentile_figure
from .intervals import clustered_proportion
from .table import Levels


def repeatability(
    samples: Sequence[Levels],
    gold: Sequence[int] | None = None,
    subjects: Sequence[str | None] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """`samples` are k runs (k >= 2) over the same cases: each a level by case, null for no answer.

    `agreement`: of all pairs of answers to one case, the share that are the same level; silence agrees with nothing.
    `unanimous`: cases on which all k answers are the same level. `entropy`: of the answers to one case, in bits, with
    silence as an answer of its own; 0 is always the same. With `gold`, `exact` of each sample and of the commonest
    level (ties: the more urgent). ValueError where the samples differ in length.
    """
    if len(samples) < 2 or len({len(sample) for sample in samples}) != 1:
        raise ValueError(f"repeatability needs two samples or more over the same cases, not {[*map(len, samples)]}")
    k, n = len(samples), len(samples[0])
    counts = np.array([[sum(s[i] == level for s in samples) for level in (1, 2, 3, 4, 5, None)] for i in range(n)])
    counts = counts.reshape(n, 6)
    patients = patient_codes(subjects, n)
    same = (counts[:, :5] * (counts[:, :5] - 1)).sum(axis=1) / (k * (k - 1))
    shares = counts / k
    entropy = -(shares * np.log2(shares, out=np.zeros_like(shares), where=shares > 0)).sum(axis=1) + 0.0
    means = _means(np.column_stack([same, entropy]), patients, resamples, seed)
    found: dict[str, Any] = {
        "k": k,
        "n": n,
        "agreement": means[0],
        "entropy": means[1],
        "unanimous": _share((counts[:, :5] == k).any(axis=1), patients),
    }
    if gold is not None:
        found["exact"] = [_share(np.array([p == g for p, g in zip(s, gold, strict=True)]), patients) for s in samples]
        commonest = np.where(counts[:, :5].any(axis=1), counts[:, :5].argmax(axis=1) + 1, 0)
        found["commonest_exact"] = _share(commonest == np.array(gold), patients)
    return found


def _share(flags: NDArray[np.bool_], patients: NDArray[np.intp]) -> Any:
    return clustered_proportion(
        np.bincount(patients, weights=flags), np.bincount(patients), np.ones(patients.max(initial=-1) + 1)
    )


def _means(values: NDArray[np.float64], patients: NDArray[np.intp], resamples: int, seed: int) -> list[Any]:
    """The mean of each column of `values` (cases, figures), with its interval."""
    sums = np.column_stack([np.bincount(patients, weights=column) for column in (*values.T, np.ones(len(values)))])
    drawn = np.concatenate([weights @ sums for weights in patient_weights(len(sums), resamples, seed)])
    return [
        percentile_figure(values[:, i].mean(), drawn[:, i] / drawn[:, -1], len(values), len(sums))
        for i in range(values.shape[1])
    ]
