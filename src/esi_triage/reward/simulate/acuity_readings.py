"""What a simulated nurse sees of a case: a point on the acuity scale, near the gold level or not so near.

The further a point lies from the gold level, the less likely is it, by a factor that is the same for each step (a
Laplace distribution). One number, the blur, says how ambiguous cases are.
"""

import math

import numpy as np

STEPS_PER_LEVEL = 4  # fine enough for a policy to move the border between two levels little by little


def level_points(n: int) -> np.ndarray:
    """(n,): at which of the m points each level lies; the points run from 0 to n + 1."""
    return np.arange(1, n + 1) * STEPS_PER_LEVEL


def likelihood(n: int, blur: float) -> np.ndarray:
    """(n, m): the probability of each reading for each gold level; `blur` in levels, above 0."""
    points = np.arange((n + 1) * STEPS_PER_LEVEL + 1)
    distance = np.abs(points - level_points(n)[:, None]) / STEPS_PER_LEVEL
    weight = np.exp(-distance / blur)
    return weight / weight.sum(axis=1, keepdims=True)


def belief(seen: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """(m, n): the probability of each gold level given a reading, from the (n, m) likelihood and the (n,) prior."""
    joint = prior[:, None] * seen
    return (joint / joint.sum(axis=0)).T


def blur_of(skill: float, prior: np.ndarray, temperature: float = 1.0) -> float:
    """The blur at which answers drawn from the belief at `temperature` are exact in a share `skill` of cases.

    At 1 such answers are what a perfect imitator of labels gives: each level as often as it was the label. The best
    answer to each reading is exact more often, and that difference is what training can gain; a low temperature shows
    it before. `skill` must lie between `blind_skill` and 1.
    """
    low, high = 0.02, 1000.0
    for _ in range(60):
        middle = math.sqrt(low * high)
        seen = likelihood(len(prior), middle)
        exact = ((prior[:, None] * seen).T * sharpened(belief(seen, prior), temperature)).sum()
        low, high = (middle, high) if exact > skill else (low, middle)
    return low


def blind_skill(prior: np.ndarray, temperature: float = 1.0) -> float:
    """How often an answer drawn at `temperature` is exact where readings say nothing: the least skill there can be."""
    return float(prior @ sharpened(prior, temperature))


def sharpened(chances: np.ndarray, temperature: float | np.ndarray) -> np.ndarray:
    """The distributions (..., n) as a policy draws from them at `temperature`: at 1 as they are, towards 0 the mode."""
    weight = (chances / chances.max(axis=-1, keepdims=True)) ** (1 / temperature)
    return weight / weight.sum(axis=-1, keepdims=True)
