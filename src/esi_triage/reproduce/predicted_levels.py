"""Predicted against observed shares of each level, over all members and seeds: how far off, and how calibrated."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..evaluate.measurement import Evaluation
from ..evaluate.report.predicted_shares import SharePrediction

ACTIONS = ("1", "2", "3", "4", "5", "none")
MOVED = 0.05  # of all answers: below, the direction of a change is chance


class LevelShare(NamedTuple):
    """The share of one level (or of no answer) among a member's answers with one seed, predicted and observed.

    `simulated` is the mean over simulated seeds, `low` and `high` hold 95 % of them; `followed` is the audit's.
    `expected_change` and `change` are from the measured warm start, to the simulated and to the observed share.
    """

    member: str
    seed: int
    action: str
    simulated: float
    low: float
    high: float
    followed: float
    observed: float
    expected_change: float
    change: float


def level_shares(
    seed: int, predictions: list[SharePrediction], results: Mapping[str, Evaluation], start: str
) -> list[LevelShare]:
    """Six for each prediction of one seed; `start` names the warm start in `results`."""
    before = _shares(results[start])
    found = []
    for prediction in predictions:
        after = _shares(results[prediction.member])
        for i, action in enumerate(ACTIONS):
            mean, low, high = prediction.by_level[i]
            found.append(
                LevelShare(
                    prediction.member,
                    seed,
                    action,
                    mean,
                    low,
                    high,
                    prediction.followed[i],
                    after[i],
                    mean - before[i],
                    after[i] - before[i],
                )
            )
    return found


def prediction_quality(shares: list[LevelShare]) -> dict[str, Any]:
    """Mean absolute errors, coverage of the bands, directions, and the line of observed on simulated shares.

    A calibrated prediction has slope 1 and intercept 0; above 1 training moves farther than the simulation says.
    """
    simulated, observed = (np.array([getattr(s, name) for s in shares]) for name in ("simulated", "observed"))
    followed = np.array([s.followed for s in shares])
    slope, intercept = np.polyfit(simulated, observed, 1)
    moved = [s for s in shares if abs(s.change) >= MOVED]
    return {
        "n": len(shares),
        "mean_absolute_error": float(np.abs(simulated - observed).mean()),
        "mean_absolute_error_of_audit": float(np.abs(followed - observed).mean()),
        "mean_absolute_error_of_no_change": float(np.mean([abs(share.change) for share in shares])),
        "largest_error": float(np.abs(simulated - observed).max()),
        "in_band": float(np.mean([s.low <= s.observed <= s.high for s in shares])),
        "slope": float(slope),
        "intercept": float(intercept),
        "moved": len(moved),
        "directions_right": sum(s.expected_change * s.change > 0 for s in moved),
    }


def by_member(shares: list[LevelShare]) -> dict[str, list[dict[str, float]]]:
    """For each member, for each of `ACTIONS`: means over seeds of what was simulated, followed and observed."""
    found: dict[str, list[dict[str, float]]] = {}
    for member in dict.fromkeys(share.member for share in shares):
        found[member] = []
        for action in ACTIONS:
            own = [share for share in shares if share.member == member and share.action == action]
            names = ("simulated", "followed", "observed")
            found[member].append({name: float(np.mean([getattr(s, name) for s in own])) for name in names})
    return found


def _shares(result: Evaluation) -> list[float]:
    n = len(result.predicted)
    return [result.predicted.count(level) / n for level in (1, 2, 3, 4, 5, None)]
