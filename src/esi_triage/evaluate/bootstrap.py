"""Resampling patients, not cases: the totals of whole resamples, and the interval they give.

A resample draws as many patients as there are, with replacement, and takes each with all of their cases. Patients whose
cases fall into the same cells are of one kind and are drawn together: a resample of 100,000 answers is one multinomial
draw over the few kinds there are, exactly, not approximately.
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
    """`tables` (kinds, cells): the cases of one such patient, by cell. `patients` (kinds,): how many there are."""

    tables: NDArray[np.float64]
    patients: NDArray[np.float64]

    @property
    def total(self) -> NDArray[np.float64]:
        """(cells,): all cases by cell."""
        return self.patients @ self.tables

    def only(self, cells: NDArray[np.bool_]) -> "Kinds":
        """The same patients with only their cases in the cells of a (cells,) mask; those left without a case go."""
        tables = self.tables * cells
        kept = tables.any(axis=1)
        return Kinds(tables[kept], self.patients[kept])


def patient_codes(subjects: Sequence[str | None] | None, n: int) -> NDArray[np.intp]:
    """Each case's patient as a number from 0. A case whose patient is unknown (null) counts as one of its own."""
    if subjects is None:
        return np.arange(n)
    if len(subjects) != n:
        raise ValueError(f"{n} gold levels but {len(subjects)} subjects")
    codes: dict[object, int] = {}
    return np.array([codes.setdefault((i,) if s is None else s, len(codes)) for i, s in enumerate(subjects)], np.intp)


def kinds_of(patients: NDArray[np.intp], cells: NDArray[np.intp], width: int) -> Kinds:
    """The kinds of patients there are, from each case's patient and cell (0 to width - 1)."""
    order = np.lexsort((cells, patients))
    ends = np.flatnonzero(np.diff(patients[order], append=-1)) + 1
    cases = cells[order].astype(np.int64)
    counts: Counter[bytes] = Counter()
    start = 0
    for end in ends.tolist():
        counts[cases[start:end].tobytes()] += 1
        start = end
    tables = [np.bincount(np.frombuffer(kind, np.int64), minlength=width) for kind in counts]
    return Kinds(np.array(tables, dtype=float).reshape(-1, width), np.array([*counts.values()], dtype=float))


def resampled(kinds: Kinds, resamples: int, seed: int, imagined: NDArray[Any] | None = None) -> NDArray[np.float64]:
    """(resamples, cells): the cases by cell in each resample.

    `imagined` (cells,) are patients with one case who join those that are drawn from, with these weights (a smoothed
    bootstrap); a resample still has as many patients as the data.
    """
    tables, patients = kinds
    if len(patients) == 0:
        return np.zeros((resamples, tables.shape[1]))
    if imagined is not None:
        extra = np.flatnonzero(imagined)
        tables = np.concatenate([tables, np.eye(tables.shape[1])[extra]])
        patients = np.concatenate([patients, imagined[extra]])
    n, shares = int(kinds.patients.sum()), patients / patients.sum()
    rng = np.random.default_rng(seed)
    block = max(1, _BLOCK // len(shares))
    sizes = [min(block, resamples - done) for done in range(0, resamples, block)]
    return np.concatenate([rng.multinomial(n, shares, size=size) @ tables for size in sizes])


def patient_weights(n: int, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Blocks of (some resamples, n): how often each patient is in it. For figures that are not functions of cells."""
    rng = np.random.default_rng(seed)
    block = max(1, _BLOCK // n)
    for done in range(0, resamples, block):
        drawn = [np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(min(block, resamples - done))]
        yield np.array(drawn, dtype=float)


def percentile_figure(value: Any, resamples: Any, n: float, patients: float, centre: Any = None) -> Figure:
    """`value` with the 95 % percentile interval of its resamples; all null where the data do not define it.

    The tails are those that Student's t asks for with so many patients (the expanded percentile interval of Hesterberg
    2015). `centre` is the figure of what was drawn from: where it is not the median of the resamples, both ends move
    (the bias-corrected interval of Efron 1981). Resamples that do not define the figure (NaN) are left out.
    """
    defined = resamples[~np.isnan(resamples)]
    if np.isnan(value) or defined.size == 0:
        return Figure(value=None, low=None, high=None, n=int(n))
    freedom = max(patients - 1, 1)
    tail = stdtrit(freedom, (1 - LEVEL) / 2) * np.sqrt((freedom + 1) / freedom)
    bias = 0.0
    if centre is not None and not np.isnan(centre):
        below = ((defined < centre).mean() + (defined <= centre).mean()) / 2
        bias = ndtri(np.clip(below, *_BELOW))
    low, high = np.quantile(defined, ndtr([2 * bias + tail, 2 * bias - tail]))
    # a smoothed bootstrap is centred a little below what was seen; the interval always holds what was seen
    return Figure(value=float(value), low=float(min(low, value)), high=float(max(high, value)), n=int(n))
