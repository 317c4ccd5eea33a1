"""A proper ordinal score of the probabilities that a policy gives the levels, as a reward that GRPO can learn from.

The ranked probability score (Epstein 1969) is the squared error of the cumulative probabilities, summed over levels:
RPS = E|X - gold| - E|X - X'| / 2 for two draws from them. It is smallest for the true probabilities.

Paid alone it teaches the digit nothing: it is the same whichever digit is drawn, and GRPO learns from differences. So
the drawn level earns, on top, what more probability on it would improve, less the mean of that over the levels. The
mean of the reward over the draw is then the score, and its policy gradient that of the expected score, through the
digit and through all that was written before it.
"""

from collections.abc import Sequence

import numpy as np


def ranked_probability_score(probabilities: Sequence[float], gold: int) -> float:
    """0 for certainty of `gold` (1 to n), n - 1 for certainty of the other end; `probabilities` (n,) sum to 1."""
    told = np.arange(1, len(probabilities)) >= gold
    return float(((np.cumsum(probabilities)[:-1] - told) ** 2).sum())


def ranked_probability_reward(probabilities: Sequence[float], level: int, gold: int, step: float) -> float:
    """What the answer `level`, drawn from `probabilities` (n,), earns less than certainty of `gold`, at `step` a level.

    For a certain answer it is -step x distance.
    """
    p, levels = np.asarray(probabilities, dtype=float), np.arange(1, len(probabilities) + 1)
    improves = p @ np.abs(levels[:, None] - levels) - np.abs(levels - gold)  # (n,): minus the score's derivative
    return step * float(improves[level - 1] - p @ improves - ranked_probability_score(probabilities, gold))
