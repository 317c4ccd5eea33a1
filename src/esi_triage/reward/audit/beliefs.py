"""What to answer when unsure: the best action for a belief, and in every doubt between two levels.

A belief is P(level). Over two levels it is a point of an interval, and the expected reward of each action is a line
over it: which action is best changes only where two lines cross. How close abstention comes to being the best action
for any belief is the value of a small matrix game: nature picks a belief to bring it ahead, the answerer an answer to
keep it behind.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np

TIE = 1e-9
NARROW = 1e-3  # a shift over fewer of the beliefs than that is none


def best_actions(rewards: np.ndarray, beliefs: np.ndarray) -> np.ndarray:
    """(k,): the action (column of `rewards`) with the highest expected reward for each of k beliefs (k, n).

    Where actions tie, the most probable level is taken if it is among them, else the first.
    """
    value = beliefs @ rewards
    likely = np.atleast_2d(beliefs).argmax(axis=1)
    tied = value[np.arange(len(value)), likely] >= value.max(axis=1) - TIE
    return np.where(tied, likely, value.argmax(axis=1))


class Doubt(NamedTuple):
    """An interval of beliefs over two `levels`: the probability of the first is `start` to `end`."""

    levels: tuple[int, int]
    likely: int
    action: int
    start: float
    end: float

    @property
    def share(self) -> float:
        """Its part of all beliefs over these levels."""
        return self.end - self.start

    def of_likely(self) -> tuple[float, float]:
        """Between what and what the probability of the likely level lies."""
        return (self.start, self.end) if self.likely == self.levels[0] else (1 - self.end, 1 - self.start)


def doubts(rewards: np.ndarray, levels: tuple[int, int]) -> list[Doubt]:
    """The intervals from impossible to certain of the first level, each with its best action.

    `rewards` is (n, actions); the first n actions stand for the levels. Of actions that tie over an interval the likely
    level is named, then the other level in doubt, then the nearest.
    """
    first, second = levels
    certain, slope = rewards[second], rewards[first] - rewards[second]  # expected reward: certain + p * slope
    with np.errstate(divide="ignore", invalid="ignore"):
        crossings = (certain[:, None] - certain) / (slope - slope[:, None])
    inside = crossings[np.isfinite(crossings) & (crossings > 0) & (crossings < 1)]
    cuts = np.unique(np.round(np.concatenate([[0.0, 0.5, 1.0], inside]), 12))
    found: list[Doubt] = []
    for start, end in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        value = certain + (start + end) / 2 * slope
        likely = first if start >= 0.5 else second
        tied = np.flatnonzero(value >= value.max() - TIE).tolist()
        action = min(tied, key=lambda a, likely=likely: (a != likely, a not in levels, abs(a - likely)))
        if found and (found[-1].likely, found[-1].action) == (likely, action):
            start = found.pop().start
        found.append(Doubt(levels, likely, action, start, end))
    return found


def misfits(rewards: np.ndarray) -> list[Doubt]:
    """Every doubt between two levels where an action is strictly better than the likely level."""
    found = [doubt for pair in combinations(range(len(rewards)), 2) for doubt in doubts(rewards, pair)]
    return [doubt for doubt in found if doubt.action != doubt.likely and doubt.share > NARROW]


def abstention_margin(rewards: np.ndarray) -> tuple[float, np.ndarray]:
    """Max over beliefs of (abstention - best answer), and a belief (n,) where it is reached.

    `rewards` is (n, n + 1), abstention last. At 0 or above, abstention is a best action for that belief.
    """
    return game_value(rewards[:, -1:] - rewards[:, :-1])


def game_value(payoffs: np.ndarray) -> tuple[float, np.ndarray]:
    """The value of a zero-sum game for its row player, and that player's optimal mixture (rows,).

    Variables: the mixture and the value v, which is at most mixture · payoffs in every column.
    """
    from scipy.optimize import linprog  # here: it takes longer to load than a command that needs none

    rows, columns = payoffs.shape
    solved = linprog(
        c=[*np.zeros(rows), -1.0],
        A_ub=np.column_stack([-payoffs.T, np.ones(columns)]),
        b_ub=np.zeros(columns),
        A_eq=[[*np.ones(rows), 0.0]],
        b_eq=[1.0],
        bounds=[(0, None)] * rows + [(None, None)],
    )
    return float(solved.x[-1]), solved.x[:-1]
