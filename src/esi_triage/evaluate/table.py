"""Gold levels against answers as one table: 5 rows (gold 1 to 5) by 6 columns (answered 1 to 5, then no answer).

Every proportion is two masks over this table, every agreement figure a function of it. That is what makes 2,000
resamples of 100,000 answers cheap: a resample is a weighted sum of tables.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..esi import LEVELS

Levels = Sequence[int | None]
Table = NDArray[Any]

GOLD = np.arange(1.0, 6.0)[:, None]
ANSWER = np.array([1.0, 2.0, 3.0, 4.0, 5.0, np.nan])
UNDER_BY = ANSWER - GOLD  # levels too little urgent; negative: too urgent; NaN where there is no answer
SILENT = np.broadcast_to(np.isnan(ANSWER), (5, 6))
EVERYONE = np.ones((5, 6), dtype=bool)
URGENT = np.broadcast_to(GOLD <= 2, (5, 6))
FIRST = np.broadcast_to(GOLD == 1, (5, 6))
NEAR = np.abs(UNDER_BY) <= 1

# name: (what counts, among whom). Silence is never right, and with it goes every danger that an answer would avert.
SHARES: dict[str, tuple[np.ndarray, np.ndarray]] = {
    "exact": (UNDER_BY == 0, EVERYONE),
    "within_one": (NEAR, EVERYONE),
    "exact_or_one_over": ((UNDER_BY == 0) | (UNDER_BY == -1), EVERYONE),
    "no_parse": (SILENT, EVERYONE),
    "under_triage": (UNDER_BY > 0, EVERYONE),
    "over_triage": (UNDER_BY < 0, EVERYONE),
    "under_triage_or_silent": ((UNDER_BY > 0) | SILENT, EVERYONE),
    "two_or_more": (~NEAR, EVERYONE),
    "severe_under_triage": (~(ANSWER <= 3) & URGENT, URGENT),
    "esi1_sensitivity": (FIRST & (ANSWER == 1), FIRST),
    "esi1_specificity": (~FIRST & (ANSWER > 1), ~FIRST),
    "high_acuity_sensitivity": (URGENT & (ANSWER <= 2), URGENT),
    "high_acuity_specificity": (~URGENT & (ANSWER > 2), ~URGENT),
}


def cell_of(gold: Sequence[int], predicted: Levels) -> NDArray[np.intp]:
    """Each case's cell, 0 to 29, row by row. ValueError where the two do not match or hold no level."""
    if len(gold) != len(predicted):
        raise ValueError(f"{len(gold)} gold levels but {len(predicted)} predictions")
    if any(level not in LEVELS for level in gold):
        raise ValueError("every gold level must be 1 to 5")
    if any(level is not None and level not in LEVELS for level in predicted):
        raise ValueError("every prediction must be 1 to 5, or null, beside its gold level")
    answered = np.array([6 if level is None else level for level in predicted], dtype=np.intp)
    return (np.array(gold, dtype=np.intp) - 1) * 6 + answered - 1


def imagined(table: Table) -> NDArray[np.float64]:
    """(30,): one case that was not seen, over the wrong answers, each step further from gold less likely.

    What it is for: a test set of 36 in which nothing went badly wrong does not show that nothing can. Without it the
    bootstrap of such a set is certain that nothing can, and its intervals are too narrow (benchmarks/coverage.py).
    """
    distance = np.abs(UNDER_BY)
    weight = np.divide(1, distance**2, out=np.zeros((5, 6)), where=distance > 0)
    weight[:, 5] = 0.1  # silence: rarer than an answer three levels off
    gold = table.sum(axis=1, keepdims=True) / max(table.sum(), 1)
    return (gold * weight / weight.sum(axis=1, keepdims=True)).ravel()
