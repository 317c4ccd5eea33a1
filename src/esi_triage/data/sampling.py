"""Which cases training draws, and how often: by class factors, or by a temperature over the class shares."""

from collections.abc import Iterable, Sequence

import numpy as np

from ..esi import LEVELS, Case


def trainable(cases: Iterable[Case]) -> list[Case]:
    """The cases of the training split that have a level to learn: what every training and every baseline fits on.

    Reversed hospitals keep their split, so that tests and reports can be made with and without them; here they go.
    """
    labelled = (case for case in cases if case.split == "train" and case.gold is not None)
    return [case for case in labelled if "reversed-group" not in case.quality]


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


def temperature_factors(cases: Sequence[Case], temperature: float) -> dict[int, float]:
    """Factors for `oversampled` under which level k is drawn with a probability ∝ share(k)^(1/temperature).

    1 leaves the shares as they are, higher temperatures even them out. Raises ValueError unless temperature > 0.
    """
    if not temperature > 0:
        raise ValueError(f"temperature must be above 0, not {temperature!r}")
    return {level: share ** (1 / temperature - 1) for level, share in class_shares(cases).items() if share > 0}


def class_shares(cases: Sequence[Case]) -> dict[int, float]:
    """The share of each level among labelled cases: what training really sees."""
    golds = [case.gold for case in cases if case.gold is not None]
    return {level: golds.count(level) / len(golds) if golds else 0.0 for level in LEVELS}


def shares_report(cases: Sequence[Case], drawn: Sequence[Case]) -> dict[str, dict[str, float]]:
    """Class shares before and after drawing, for a run's record: `{"cases": {"1": 0.1, ...}, "drawn": {...}}`."""
    return {
        name: {str(level): round(share, 4) for level, share in class_shares(of).items()}
        for name, of in (("cases", cases), ("drawn", drawn))
    }
