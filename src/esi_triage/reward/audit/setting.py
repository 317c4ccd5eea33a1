"""What every check looks at: a design, the world it is trained in, and the policy it starts from."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..design import Design
from ..policy import oversampled


def skill_needed(rival: float, right: float, amiss: float) -> float | None:
    """The share p of exact answers where p · right + (1 - p) · amiss = rival; 0 where any will do, None where none."""
    if amiss >= rival:
        return 0.0
    return (rival - amiss) / (right - amiss) if right >= rival else None


@dataclass(frozen=True)
class Setting:
    """`prior` (n,): natural shares; `policy` (n, n + 1): P(answer | gold) of the warm start, silence last."""

    design: Design
    prior: np.ndarray
    policy: np.ndarray
    group_size: int

    @cached_property
    def n(self) -> int:
        """How many levels there are; also the index of silence among the acts."""
        return len(self.design.table)

    @cached_property
    def stream(self) -> np.ndarray:
        """(n,): the shares that training draws."""
        return oversampled(self.prior, self.design)

    @cached_property
    def bare(self) -> np.ndarray:
        """(n, n + 1): rewards without bonuses: what a long answer without format earns."""
        return self.design.rewards

    @cached_property
    def earned(self) -> np.ndarray:
        """(n, n + 1): rewards with the bonuses of a well-formed answer of half the length limit."""
        return self.design.earned()

    @cached_property
    def wrong(self) -> np.ndarray:
        """(n, n) bool: the cells off the diagonal."""
        return ~np.eye(self.n, dtype=bool)

    @cached_property
    def errors(self) -> np.ndarray:
        """(n, n): what the warm start answers where it is wrong; every wrong level alike where it never is."""
        amiss = self.policy[:, : self.n] * self.wrong
        amiss = np.where(amiss.sum(axis=1, keepdims=True) > 0, amiss, self.wrong)
        return amiss / amiss.sum(axis=1, keepdims=True)

    def answering(self, rewards: np.ndarray) -> tuple[float, float]:
        """The mean reward of an exact answer, and of an error of the warm start's kind, on the training stream."""
        right = self.stream @ rewards[:, : self.n].diagonal()
        amiss = self.stream @ (self.errors * rewards[:, : self.n]).sum(axis=1)
        return float(right), float(amiss)

    def act(self, index: int) -> str:
        """The name of an act: a level, or silence."""
        return "no answer" if index == self.n else self.design.label(index + 1)

    def by_act(self, values: np.ndarray) -> dict[str, float]:
        """(n + 1,) or (n,) numbers by the name of the act or level."""
        return {self.act(i): float(value) for i, value in enumerate(values)}
