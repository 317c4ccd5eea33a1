"""What every check looks at: a design as the trainer sees it, the shares of the levels, and the warm start.

A group of GRPO holds answers to one case, so to one row of the table. A constant that is added to a row cancels, and
under `scale_rewards="group"` so does its size. Rewards are therefore taken less that of the exact answer, and under the
group's scaling in units of the row's spread at the warm start. Whatever is computed from them cannot depend on more.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from ..design import Design
from ..policy import training_shares

Scale = Literal["group", "none"]
DIGITS = 9  # of a difference: below is rounding error


def skill_needed(rival: float, right: float, wrong: float) -> float | None:
    """The share p of exact answers where p · right + (1 - p) · wrong = rival; 0 where any will do, None where none."""
    if wrong >= rival:
        return 0.0
    return (rival - wrong) / (right - wrong) if right >= rival else None


@dataclass(frozen=True)
class Setting:
    """`prior` (n,): shares of the levels in deployment; `policy` (n, n + 1): P(answer | gold), abstention last.

    `scale` is what the trainer divides advantages by. TRL's "batch" is "none" with another size of the step.
    """

    design: Design
    prior: np.ndarray
    policy: np.ndarray
    group_size: int
    scale: Scale = "group"

    @cached_property
    def n(self) -> int:
        """How many levels there are; also the index of abstention among the actions."""
        return len(self.design.table)

    @cached_property
    def training_prior(self) -> np.ndarray:
        """(n,): the shares of the levels in training, after oversampling."""
        return training_shares(self.prior, self.design)

    @cached_property
    def units(self) -> np.ndarray:
        """(n, 1): the reward that counts as 1 in each row: its spread at the warm start, or 1 without scaling.

        Where all answers that the warm start gives pay the same, the spread of all that it could give.
        """
        if self.scale == "none":
            return np.ones((self.n, 1))
        rewards = self._less_exact(self.design.with_bonuses())
        means = (self.policy * rewards).sum(axis=1, keepdims=True)
        spread = np.sqrt((self.policy * (rewards - means) ** 2).sum(axis=1, keepdims=True))
        spread = np.where(spread > 1e-9, spread, rewards.std(axis=1, keepdims=True))
        return np.where(spread > 1e-9, spread, 1.0)

    @cached_property
    def table_only(self) -> np.ndarray:
        """(n, n + 1): what the trainer sees without bonuses: a long answer without format. Exact answers are at 0."""
        return np.round(self._less_exact(self.design.rewards) / self.units, DIGITS) + 0.0

    @cached_property
    def with_bonuses(self) -> np.ndarray:
        """(n, n + 1): the same with the bonuses of a well-formed answer of half the length limit."""
        return np.round(self._less_exact(self.design.with_bonuses()) / self.units, DIGITS) + 0.0

    def _less_exact(self, rewards: np.ndarray) -> np.ndarray:
        return rewards - rewards[:, : self.n].diagonal()[:, None]

    @cached_property
    def wrong(self) -> np.ndarray:
        """(n, n) bool: the cells off the diagonal."""
        return ~np.eye(self.n, dtype=bool)

    @cached_property
    def errors(self) -> np.ndarray:
        """(n, n): what the warm start answers where it is wrong; every wrong level alike where it never is."""
        errors = self.policy[:, : self.n] * self.wrong
        errors = np.where(errors.sum(axis=1, keepdims=True) > 0, errors, self.wrong)
        return errors / errors.sum(axis=1, keepdims=True)

    def mean_error(self, rewards: np.ndarray) -> float:
        """The mean reward of an error of the warm start's kind, in training; of an exact answer it is 0."""
        return float(self.training_prior @ (self.errors * rewards[:, : self.n]).sum(axis=1))

    def action(self, index: int) -> str:
        """The name of an action: a level, or no answer."""
        return "no answer" if index == self.n else self.design.label(index + 1)

    def by_action(self, values: np.ndarray) -> dict[str, float]:
        """(n + 1,) or (n,) numbers by the name of the action or level."""
        return {self.action(i): float(value) for i, value in enumerate(values)}

    def cells(self, chosen: np.ndarray) -> list[list[str]]:
        """The names of gold and answer of each chosen cell, row by row."""
        return [[self.action(gold), self.action(answer)] for gold, answer in np.argwhere(chosen)]
