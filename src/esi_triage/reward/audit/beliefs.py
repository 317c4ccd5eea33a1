"""What to answer when unsure: the best act for a belief, and the exact regions of beliefs with the same best act.

A belief is P(level), a point of a simplex; the expected reward of each act is linear in it, so the beliefs for which
one act is best form a convex region. Beliefs over two levels are a line, over three a triangle.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np

TIE = 1e-9


def best_acts(rewards: np.ndarray, beliefs: np.ndarray) -> np.ndarray:
    """(k,): the act (column of `rewards`) with the highest expected reward for each of k beliefs (k, n).

    Where acts tie, the most probable level is taken if it is among them, else the first.
    """
    value = beliefs @ rewards
    likely = np.atleast_2d(beliefs).argmax(axis=1)
    tied = value[np.arange(len(value)), likely] >= value.max(axis=1) - TIE
    return np.where(tied, likely, value.argmax(axis=1))


class Region(NamedTuple):
    """Beliefs over `levels` whose most probable level is `likely`, but whose best act is `act`.

    `share` is the part of all beliefs over these levels; `corners` (k, len(levels)) are the region's corners.
    """

    levels: tuple[int, ...]
    likely: int
    act: int
    share: float
    corners: np.ndarray


def misfits(rewards: np.ndarray, size: int) -> list[Region]:
    """Every region of beliefs over `size` levels (2 or 3) where the best act is strictly better than the likely level.

    `rewards` is (n, acts). Acts are columns; the first n stand for the levels. Exact up to rounding.
    """
    found = []
    for levels in combinations(range(len(rewards)), size):
        payoffs = rewards[list(levels)]  # (size, acts)
        for likely in levels:
            found += _regions_around(payoffs, levels, likely)
    return found


def _regions_around(payoffs: np.ndarray, levels: tuple[int, ...], likely: int) -> list[Region]:
    acts = _distinct(payoffs, levels, likely)
    place = levels.index(likely)
    size = len(levels)
    cell = np.eye(size)
    for other in range(size):
        if other != place:
            cell = clip(cell, np.eye(size)[place] - np.eye(size)[other])
    regions = []
    for act in acts[1:]:
        if (cell @ (payoffs[:, act] - payoffs[:, likely])).max() <= TIE:
            continue  # linear, so nowhere better if at no corner: most acts end here
        corners = cell
        for rival in acts:
            if rival != act:
                corners = clip(corners, payoffs[:, act] - payoffs[:, rival])
        if (share := _measure(corners)) > TIE:
            regions.append(Region(levels, likely, act, share, corners))
    return regions


def _distinct(payoffs: np.ndarray, levels: tuple[int, ...], likely: int) -> list[int]:
    """The acts without repeats among equal columns; of equal ones the likely level, then the nearest in doubt stays."""
    by_merit = sorted(range(payoffs.shape[1]), key=lambda act: (act != likely, act not in levels, abs(act - likely)))
    kept: list[int] = []
    for act in by_merit:
        if not any(np.allclose(payoffs[:, act], payoffs[:, other], rtol=0, atol=1e-12) for other in kept):
            kept.append(act)
    return kept


def clip(corners: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """The part of a convex region with `normal` · belief >= 0 (Sutherland and Hodgman 1974).

    `corners` (k, size): the ends of an interval, or the corners of a polygon in order. Empty where nothing is left.
    """
    if len(corners) == 0:
        return corners
    height = corners @ normal
    kept = []
    for i, here in enumerate(height):
        there = height[i - 1]  # the edge from the corner before
        if here * there < 0:
            kept.append(corners[i - 1] + (corners[i] - corners[i - 1]) * there / (there - here))
        if here >= 0:
            kept.append(corners[i])
    return np.array(kept).reshape(-1, corners.shape[1])


def _measure(corners: np.ndarray) -> float:
    """Length of an interval or area of a polygon, as a share of all beliefs over as many levels."""
    if len(corners) < corners.shape[1]:
        return 0.0
    x = corners[:, 0]
    if corners.shape[1] == 2:
        return float(x.max() - x.min())
    y = corners[:, 1]  # the simplex in (x, y) is half a unit square: its area is 1/2
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)))
