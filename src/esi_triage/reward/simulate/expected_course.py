"""The simulation in expectation: GRPO's mean update followed from the warm start, with nothing drawn.

The policy is the simulation's: logits for each reading of a case, half of each step shared by all readings. The mean
advantage of an answer is taken as (r - mean) over the root of the group's mean variance where that answer is in it.
"""

import numpy as np

from .acuity_readings import blind_skill, blur_of, likelihood
from .learner import ABSTAINS_AT_START, EPSILON, Regime, imitator, softmax

PROMPTS = 750  # the card's
SHARED = 0.5  # as in the simulation of a network
STRIDES = 100  # updates are lumped: more of them change no share by a point


def expected_course(
    rewards: np.ndarray, prior: np.ndarray, training: np.ndarray, policy: np.ndarray, group_size: int, by_spread: bool
) -> tuple[np.ndarray, np.ndarray]:
    """P(answer | gold), both (n, n + 1), before and after `PROMPTS` prompts of `group_size` answers by the mean update.

    `rewards` (n, n + 1) have abstention last; `prior` and `training` (n,) are shares; of the warm start's `policy`
    (n, n + 1) count how often it is exact and how often it abstains. `by_spread`: TRL's scale_rewards="group".
    """
    n = len(prior)
    seen = likelihood(n, blur_of(_skill(policy, prior), prior))  # (n, m)
    abstains = max(ABSTAINS_AT_START, float(prior @ policy[:, n]))
    start = imitator(seen, prior, abstains)
    logits, drawn = np.log(start + 1e-9), (training[:, None] * seen).T[..., None]  # (m, n, 1)
    strides = STRIDES if by_spread else int(STRIDES * min(max(1.0, np.abs(rewards).max()), 20.0))
    rate = Regime.rate * PROMPTS / strides
    for _ in range(strides):
        push = (drawn * _mean_push(rewards, softmax(logits), group_size, by_spread)).sum(axis=1)
        logits = logits + rate * ((1 - SHARED) * push + SHARED * push.sum(axis=0))
    return seen @ start, seen @ softmax(logits)


def _mean_push(rewards: np.ndarray, chances: np.ndarray, group_size: int, by_spread: bool) -> np.ndarray:
    """(m, n, n + 1): the mean step on the logits of each reading for each gold level; `chances` (m, n + 1)."""
    mean = chances @ rewards.T  # (m, n)
    advantage = (rewards - mean[..., None]) * (1 - 1 / group_size)
    if by_spread:
        variance = np.maximum(chances @ (rewards**2).T - mean**2, 0.0)[..., None]
        fellows = (group_size - 2 + 1 / group_size) / (group_size - 1)
        advantage /= np.sqrt(variance * fellows + (rewards - mean[..., None]) ** 2 / group_size) + EPSILON
    weighed = chances[:, None] * advantage
    return weighed - chances[:, None] * weighed.sum(axis=2, keepdims=True)


def _skill(policy: np.ndarray, prior: np.ndarray) -> float:
    """How often an answer with a level is exact; kept between drawing blindly and certainty, where readings exist."""
    n = len(prior)
    answered = 1 - float(prior @ policy[:, n])
    exact = float(prior @ policy[:, :n].diagonal()) / answered if answered > 0 else 0.0
    return min(max(exact, blind_skill(prior) + 0.02), 0.98)
