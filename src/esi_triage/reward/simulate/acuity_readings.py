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


def blur_of(skill: float, prior: np.ndarray) -> float:
    """The blur at which answers drawn from the belief are exact in a share `skill` of cases.

    Such answers are what a perfect imitator of labels gives: each level as often as it was the label. The best answer
    to each reading is exact more often, and that difference is what training can gain. `skill` must lie between
    drawing blindly from the prior and 1.
    """
    low, high = 0.02, 1000.0
    for _ in range(60):
        middle = math.sqrt(low * high)
        joint = prior[:, None] * likelihood(len(prior), middle)
        exact = (joint**2 / joint.sum(axis=0)).sum()
        low, high = (middle, high) if exact > skill else (low, middle)
    return low
