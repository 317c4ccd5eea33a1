"""Gold levels against answers as one table: 5 rows (gold 1 to 5) by 6 columns (answered 1 to 5, then no answer).

Every proportion is two masks over this table, every agreement figure a function of it. That is what makes 2,000
resamples of 100,000 answers cheap: a resample is a weighted sum of tables.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...esi import LEVELS

Levels = Sequence[int | None]
Table = NDArray[Any]

GOLD = np.arange(1.0, 6.0)[:, None]
ANSWER = np.array([1.0, 2.0, 3.0, 4.0, 5.0, np.nan])
UNDER_BY = ANSWER - GOLD  # levels too little urgent; negative: too urgent; NaN where there is no answer
NO_ANSWER = np.broadcast_to(np.isnan(ANSWER), (5, 6))
EVERYONE = np.ones((5, 6), dtype=bool)
URGENT = np.broadcast_to(GOLD <= 2, (5, 6))
FIRST = np.broadcast_to(GOLD == 1, (5, 6))
NEAR = np.abs(UNDER_BY) <= 1

# name: (what counts, among whom). No answer is never right, and counts as every danger that an answer would avert.
SHARES: dict[str, tuple[np.ndarray, np.ndarray]] = {
    "exact": (UNDER_BY == 0, EVERYONE),
    "within_one": (NEAR, EVERYONE),
    "exact_or_one_over": ((UNDER_BY == 0) | (UNDER_BY == -1), EVERYONE),
    "no_parse": (NO_ANSWER, EVERYONE),
    "under_triage": (UNDER_BY > 0, EVERYONE),
    "over_triage": (UNDER_BY < 0, EVERYONE),
    "under_triage_or_silent": ((UNDER_BY > 0) | NO_ANSWER, EVERYONE),
    "two_or_more": (~NEAR, EVERYONE),
    "severe_under_triage": (~(ANSWER <= 3) & URGENT, URGENT),
    "esi1_sensitivity": (FIRST & (ANSWER == 1), FIRST),
    "esi1_specificity": (~FIRST & (ANSWER > 1), ~FIRST),
    "high_acuity_sensitivity": (URGENT & (ANSWER <= 2), URGENT),
    "high_acuity_specificity": (~URGENT & (ANSWER > 2), ~URGENT),
}


def cell_of(gold: Sequence[int] | NDArray[np.intp], predicted: Levels) -> NDArray[np.intp]:
    """Each case's cell, 0 to 29, row by row. ValueError where the two do not match or hold no level."""
    if len(gold) != len(predicted):
        raise ValueError(f"{len(gold)} gold levels but {len(predicted)} predictions")
    if any(level not in LEVELS for level in gold):
        raise ValueError("every gold level must be 1 to 5")
    if any(level is not None and level not in LEVELS for level in predicted):
        raise ValueError("every prediction must be 1 to 5, or null, beside its gold level")
    answered = np.array([6 if level is None else level for level in predicted], dtype=np.intp)
    return (np.array(gold, dtype=np.intp) - 1) * 6 + answered - 1


def share_function(name: str) -> Callable[[Table], Any]:
    """One of `SHARES` as a function of (..., 5, 6) tables; NaN where no case is among them."""
    counted, among = SHARES[name]

    def share(tables: Table) -> Any:
        cases = (tables * among).sum((-2, -1))
        return np.where(cases > 0, (tables * (counted & among)).sum((-2, -1)) / np.where(cases > 0, cases, 1), np.nan)

    return share


def chance(tables: Table) -> Table:
    """(..., 5, 6): what is expected of answers drawn by the shares of the levels in gold, whatever the case."""
    gold = tables.sum(-1)
    n = np.maximum(gold.sum(-1), 1e-300)[..., None, None]
    drawn = gold[..., :, None] * gold[..., None, :] / n
    return np.concatenate([drawn, np.zeros((*drawn.shape[:-1], 1))], axis=-1)


def pseudo_observation(table: Table) -> NDArray[np.float64]:
    """(30,): one case that was not seen, over the wrong answers, each step further from gold less likely.

    What it is for: a test set of 36 in which nothing went badly wrong does not show that nothing can. Without it the
    bootstrap of such a set is certain that nothing can, and its intervals are too narrow (benchmarks/coverage.py).
    """
    distance = np.abs(UNDER_BY)
    weight = np.divide(1, distance**2, out=np.zeros((5, 6)), where=distance > 0)
    weight[:, 5] = 0.1  # no answer: rarer than an answer three levels off
    gold = table.sum(axis=1, keepdims=True) / max(table.sum(), 1)
    return (gold * weight / weight.sum(axis=1, keepdims=True)).ravel()
