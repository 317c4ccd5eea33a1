"""Which cases training draws, and how often."""

from collections.abc import Sequence

import numpy as np

from ..esi import LEVELS, Case


def oversampled(cases: Sequence[Case], factors: dict[int, float], n: int, seed: int) -> list[Case]:
    """`n` labelled cases drawn with weight `factors[gold]` (default 1).

    A factor of 5 for ESI-1 makes an ESI-1 case five times as likely as others at every draw. Deterministic from `seed`.
    """
    labelled = [case for case in cases if case.gold is not None]
    if not labelled:
        return []
    weights = np.array([factors.get(case.gold or 0, 1.0) for case in labelled])
    drawn = np.random.default_rng(seed).choice(len(labelled), size=n, p=weights / weights.sum())
    return [labelled[i] for i in drawn]


def class_shares(cases: Sequence[Case]) -> dict[int, float]:
    """The share of each level among labelled cases: what training really sees."""
    golds = [case.gold for case in cases if case.gold is not None]
    return {level: golds.count(level) / len(golds) if golds else 0.0 for level in LEVELS}
