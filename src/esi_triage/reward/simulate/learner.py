"""The smallest policy that GRPO can train: for each reading of a case, logits over the levels and abstention.

Many run side by side. Axes: `a` arms (a design under a regime), `s` seeds, `m` readings, `n` levels, `g` rollouts.
Lengths, where an arm has them: a rollout's log length is a learned mean for its reading plus logistic noise, in units
of its spread, with the token limit at 0. Above it the rollout is cut, and nobody sees its answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..design import Design
from ..policy import SKILL, training_shares
from .acuity_readings import belief, blur_of, level_points, likelihood, sharpened

ABSTAINS_AT_START = 0.02  # share of the warm start's answers from which no level can be read
TOKEN_LIMIT = 512  # the card's in training; it evaluates with twice that
SPREAD = 0.25  # of log length
EPSILON = 1e-4  # TRL's, against a division by zero
DOUBLING = np.log(2) / SPREAD  # how far apart a length and its double are


@dataclass(frozen=True)
class Regime:
    """How a design is trained. Each default but `skill` and `rate` leaves an ingredient out, or is TRL's."""

    skill: float = SKILL  # share of the warm start's answers that are exact under the prior, drawn at `temperature`
    temperature: float = 1.0  # at which answers are drawn when the policy is measured; training draws at 1
    shared: float = 0.0  # share of each step that moves the answers to all readings alike; 0 is a pure table
    cut: float = 0.0  # share of the warm start's rollouts that run over the token limit; 0: lengths play no part
    insight: float = 0.0  # share of cases that a rollout of over half the limit reads without error; needs `cut`
    oversampled: bool = True  # draw with the design's class factors
    by_spread: bool = True  # divide advantages by the group's standard deviation (scale_rewards = "group")
    clamped: bool = False  # no baseline below the best wrong answer: none is reinforced (after arXiv 2511.04439)
    rate: float = 0.3  # step size on logits: in 750 steps v46 gets most of the way to what its table rewards


class Learners:
    """The policies of all arms and seeds."""

    def __init__(self, arms: Sequence[tuple[Design, Regime]], prior: np.ndarray, seeds: int) -> None:
        """`prior` (n,) are the shares of the levels in deployment."""
        designs, regimes = zip(*arms, strict=True)
        n = len(prior)
        measured = [(regime.skill, regime.temperature) for regime in regimes]
        blurs = {(skill, drawn_at): blur_of(skill, prior, drawn_at) for skill, drawn_at in set(measured)}
        self.seen = np.stack([likelihood(n, blurs[each]) for each in measured])  # (a, n, m)
        self.deployment = np.tile(prior, (len(arms), 1))  # (a, n)
        self.training = np.stack([training_shares(prior, d) if r.oversampled else prior for d, r in arms])  # (a, n)
        start = np.stack([imitator(seen, prior, ABSTAINS_AT_START) for seen in self.seen])  # (a, m, n + 1)
        self.table = np.repeat(np.log(start + 1e-9)[:, None], seeds, axis=1)  # (a, s, m, n + 1)
        self.common = np.zeros((len(arms), seeds, 1, n + 1))  # what shared parameters add for every reading
        self.plain = np.stack([design.with_bonuses(design.length_limit + 1) for design in designs])  # (a, n, n + 1)
        self.brevity = np.stack([design.with_bonuses(0) for design in designs]) - self.plain  # (a, n, n + 1)
        self.brief_until = _column([design.length_limit for design in designs])  # (a, 1, 1), as all below
        self.flat = _column([design.length_scale == "flat" for design in designs])
        self.cut = _column([regime.cut for regime in regimes])
        self.insight = _column([regime.insight for regime in regimes])
        self.shared = _column([regime.shared for regime in regimes])
        self.by_spread = _column([regime.by_spread for regime in regimes])
        self.clamped = _column([regime.clamped for regime in regimes])
        self.rate = _column([regime.rate for regime in regimes])
        self.temperature = _column([regime.temperature for regime in regimes])[..., None]  # (a, 1, 1, 1)
        odds = np.where(self.cut > 0, self.cut, 0.5) / (1 - np.where(self.cut > 0, self.cut, 0.5))
        self.length = np.tile(np.log(odds), (1, *self.table.shape[1:3]))  # (a, s, m)

    @property
    def logits(self) -> np.ndarray:
        """(a, s, m, n + 1)."""
        return self.table + self.common

    def learn(self, draws: np.ndarray) -> None:
        """One step, one prompt: `draws` (s, 2 + 3g) are uniform numbers, the same for every arm."""
        arm, seed = np.arange(len(self.table))[:, None], np.arange(len(draws))
        answers, lengths, insights = np.split(draws[:, 2:], 3, axis=1)  # (s, g) each
        gold = _pick(self.training[:, None], draws[:, 0])  # (a, s)
        reading = _pick(self.seen[arm, gold], draws[:, 1])
        right = level_points(self.deployment.shape[1])[gold]  # the reading without error
        size = self.length[arm, seed, reading][..., None] + np.log(lengths / (1 - lengths))
        cut = (self.cut > 0) & (size > 0)  # (a, s, g)
        reread = (size > -DOUBLING) & (insights < self.insight)
        row = np.where(reread, right[..., None], reading[..., None])
        chances = softmax(self.table[arm[..., None], seed[:, None], row] + self.common)  # (a, s, g, n + 1)
        abstention = chances.shape[-1] - 1
        answer = np.where(cut, abstention, _pick(chances, answers))
        tokens = np.where(self.cut > 0, TOKEN_LIMIT * np.exp(size * SPREAD), self.brief_until / 2)
        step = self.rate * self._advantage(arm[..., None], gold[..., None], answer, tokens)
        push = step[..., None] * ((answer[..., None] == np.arange(abstention + 1)) - chances) * ~cut[..., None]
        self.table[arm, seed, reading] += (1 - self.shared) * (push * ~reread[..., None]).sum(axis=2)
        self.table[arm, seed, right] += (1 - self.shared) * (push * reread[..., None]).sum(axis=2)
        self.common += self.shared[..., None] * push.sum(axis=2, keepdims=True)
        longer = np.where(self.cut > 0, (step * (2 * lengths - 1)).sum(axis=2, keepdims=True), 0.0)  # (a, s, 1)
        self.length[arm, seed, reading] += ((1 - self.shared) * longer)[..., 0]
        self.length += self.shared * longer

    def _advantage(self, arm: np.ndarray, gold: np.ndarray, answer: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """(a, s, g): each rollout's part in the mean over the group."""
        brief = np.where(self.flat, 1.0, 1.0 - tokens / self.brief_until) * (tokens <= self.brief_until)
        reward = self.plain[arm, gold, answer] + self.brevity[arm, gold, answer] * brief
        baseline = reward.mean(axis=2, keepdims=True)
        right = answer == gold  # (a, s, g)
        best_wrong = np.where(right, -np.inf, reward).max(axis=2, keepdims=True)
        baseline = np.where(self.clamped, np.maximum(baseline, best_wrong), baseline)
        advantage = reward - baseline
        spread = reward.std(axis=2, ddof=1, keepdims=True) + EPSILON
        return np.where(self.by_spread, advantage / spread, advantage) / reward.shape[2]

    def joint(self, weights: np.ndarray, slack: float, measured: bool = False) -> np.ndarray:
        """(a, s, n, n + 1): how often each gold level, at shares `weights` (a, n), meets each answer, in expectation.

        `slack` is how far over the training limit a rollout may run before it is cut; `measured`: at the regime's
        temperature.
        """
        chances = softmax(self.logits)
        if measured:
            chances = sharpened(chances, self.temperature)
        cut = np.where(self.cut > 0, _sigmoid(self.length - slack), 0.0)
        reread = np.where(self.cut > 0, self.insight * (_sigmoid(self.length + DOUBLING) - cut), 0.0)
        case = (weights[..., None] * self.seen)[:, None]  # (a, 1, n, m)
        found = case @ ((1 - cut - reread)[..., None] * chances)
        found += (case @ reread[..., None]) * chances[:, :, level_points(weights.shape[1])]
        found[..., -1] += (case @ cut[..., None])[..., 0]
        return found


def imitator(seen: np.ndarray, prior: np.ndarray, abstains: float) -> np.ndarray:
    """(m, n + 1): a policy that draws its answer from the belief, and in a share `abstains` gives none."""
    return np.column_stack([(1 - abstains) * belief(seen, prior), np.full(seen.shape[1], abstains)])


def _column(values: Sequence[float]) -> np.ndarray:
    return np.array(values)[:, None, None]


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(x / 2))


def softmax(logits: np.ndarray) -> np.ndarray:
    """The distributions (..., n) of logits."""
    weight = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weight / weight.sum(axis=-1, keepdims=True)


def _pick(chances: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Which outcome each uniform draw falls on; `chances` has one axis more, the last."""
    return (draws[..., None] > chances.cumsum(axis=-1)[..., :-1]).sum(axis=-1)
