"""One model's answers on a set of cases, with their resamples: what every figure is computed from."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .bootstrap import Kinds, percentile_figure, resampled
from .intervals import Figure, clustered_proportion
from .table import Table, imagined


class Answers(NamedTuple):
    """`kinds` of patients; `total` (5, 6), all cases; `drawn` (resamples, 5, 6), the same in each resample."""

    kinds: Kinds
    total: NDArray[np.float64]
    drawn: NDArray[np.float64]

    @property
    def n(self) -> int:
        """How many cases."""
        return int(self.total.sum())

    def share(self, counted: NDArray[np.bool_], among: NDArray[np.bool_]) -> Figure:
        """The share of the cases in `among` that are in `counted` too, both (5, 6) masks."""
        hits, cases = self.kinds.tables @ (counted & among).ravel(), self.kinds.tables @ among.ravel()
        return clustered_proportion(hits, cases, self.kinds.patients)

    def figure(self, function: Callable[[Table], Any], corrected: bool = False) -> Figure:
        """A function of tables on these answers, with its bootstrap interval, `corrected` for bias.

        Correct what changes smoothly with the table: a mean over levels jumps where a resample has none of a level.
        """
        centre = function(self.total + imagined(self.total).reshape(5, 6)) if corrected else None
        patients = self.kinds.patients.sum()
        return percentile_figure(function(self.total), function(self.drawn), self.n, patients, centre)


def answers_of(kinds: Kinds, resamples: int, seed: int) -> Answers:
    """The answers of these kinds of patients (30 cells), resampled."""
    total = kinds.total.reshape(5, 6)
    return Answers(kinds, total, resampled(kinds, resamples, seed, imagined(total)).reshape(-1, 5, 6))
