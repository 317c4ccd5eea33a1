"""Class-conditional (Mondrian) split conformal sets: the levels that cannot be excluded at a stated coverage.

For each level apart, the limit is the score 1 - p of the true level that at most alpha of the calibration cases of that
level exceed. Marginal sets would cover ESI 1, the rarest level, in fewer cases than they promise. The method: Vovk
2012, "Conditional validity of inductive conformal predictors". It promises coverage for cases like those that it was
calibrated on, and for no others.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...esi import LEVELS

COVERAGES = (0.90, 0.95)
Limits = tuple[float | None, ...]  # of ESI 1 to 5; null where too few cases: the level is in every set


def cases_needed(coverage: float) -> int:
    """The fewest cases of a level for which a limit exists: 9 at 90 %, 19 at 95 %."""
    return math.ceil(round(coverage / (1 - coverage), 9))


def conformal_limits(probabilities: NDArray[np.float64], gold: NDArray[np.int64], coverage: float) -> Limits:
    """Limits of 1 - p by level. `probabilities` (n, 5), `gold` (n,) 1 to 5."""
    limits: list[float | None] = []
    for level in LEVELS:
        misfit = np.sort(1 - probabilities[gold == level, level - 1])
        place = math.ceil(round((len(misfit) + 1) * coverage, 9))
        limits.append(float(misfit[place - 1]) if 0 < place <= len(misfit) else None)
    return tuple(limits)


def level_set(probabilities: Sequence[float], limits: Limits) -> tuple[int, ...]:
    """The levels that are not excluded, made contiguous; the likeliest level is always among them."""
    likeliest = max(LEVELS, key=lambda level: probabilities[level - 1])
    inside = [
        level
        for level, p, limit in zip(LEVELS, probabilities, limits, strict=True)
        if level == likeliest or limit is None or 1 - p <= limit + 1e-12
    ]
    return tuple(range(min(inside), max(inside) + 1))
