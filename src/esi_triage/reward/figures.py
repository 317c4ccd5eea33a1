"""Figures of a design as PNG bytes: readable without colour and on a phone.

What is best for a belief is drawn exactly: regions are cut out of an interval or a triangle, not painted on a grid.
"""

from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from ..page import png
from .audit import Audit
from .audit.beliefs import clip, misfits
from .audit.setting import Setting
from .simulate import Course

WIDTH = 4.3  # inches; on a phone of 390 px, 9 pt are then about 10 px
_FIVE = ("#a50026", "#e8743b", "#e0b400", "#5aae61", "#2c7bb6")
_SILENT = "#777777"
_LINES = ("-", "--", "-.", ":", (0, (3, 1, 1, 1, 1, 1)))
_MARKS = "os^Dv<>p"
_CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 0.866]])  # of the drawn triangle
_SMALL = 0.012  # share of beliefs under which a region gets no label of its own


def table_figure(audit: Audit, most: float) -> bytes:
    """The table with silence in the last column; boxed: wrong and yet at least 0. Colours go from -`most` to `most`."""
    setting = audit.setting
    return _heat(setting, setting.bare, setting.wrong & (setting.bare[:, :-1] >= 0), most, "reward")


def advantage_figure(audit: Audit, most: float) -> bytes:
    """What GRPO makes of each answer, under the group's scaling; boxed: wrong and yet reinforced."""
    setting = audit.setting
    return _heat(setting, advantages(audit), reinforced(audit), most, "expected advantage")


def advantages(audit: Audit) -> np.ndarray:
    """(n, n + 1): the expected advantage of each answer, silence last, as the audit measured it."""
    rows = audit.measured["groups"]["advantages"]["group"]
    return np.array([list(row.values()) for row in rows.values()])


def reinforced(audit: Audit) -> np.ndarray:
    """(n, n) bool: wrong answers with a positive expected advantage."""
    return audit.setting.wrong & (advantages(audit)[:, :-1] > 1e-9)


def _heat(setting: Setting, values: np.ndarray, boxed: np.ndarray, most: float, title: str) -> bytes:
    n = setting.n
    figure, axes = plt.subplots(figsize=(WIDTH, 1.1 + WIDTH * n / (n + 1.6)))
    axes.imshow(values, cmap="PuOr", vmin=-most, vmax=most)
    for (gold, act), value in np.ndenumerate(values):
        colour = "white" if abs(value) > 0.65 * most else "black"
        weight = "bold" if gold == act else "normal"
        axes.text(
            act,
            gold,
            _number(value),
            ha="center",
            va="center",
            color=colour,
            weight=weight,
            fontsize=10 if n <= 5 else 7,
        )
    for gold, act in np.argwhere(boxed):
        axes.add_patch(
            plt.Rectangle((act - 0.44, gold - 0.44), 0.88, 0.88, fill=False, edgecolor="black", linewidth=1.6)
        )
    names = [setting.act(act) for act in range(n)]
    axes.set_xticks(range(n + 1), [*names, "none"], fontsize=9, rotation=0 if n <= 5 else 45)
    axes.set_yticks(range(n), names, fontsize=9)
    axes.set_xlabel("answered")
    axes.set_ylabel("true level")
    axes.set_title(f"{setting.design.name}: {title}", fontsize=11)
    return png(figure)


def _number(value: float) -> str:
    if abs(value) < 0.005:
        return "0"
    return f"{value:+.1f}" if abs(round(value, 1) - value) < 1e-9 else f"{value:+.2f}"


def regions(rewards: np.ndarray, levels: tuple[int, ...]) -> list[tuple[int, np.ndarray]]:
    """Each act that is best for some beliefs over `levels`, with the corners (k, len(levels)) of their region.

    `rewards` is (n, acts). Acts that pay the same over these levels are one, named after a level in doubt if possible.
    """
    payoffs = rewards[list(levels)]
    acts: list[int] = []
    for act in sorted(range(payoffs.shape[1]), key=lambda act: act not in levels):
        if not any(np.allclose(payoffs[:, act], payoffs[:, other]) for other in acts):
            acts.append(act)
    found = []
    for act in acts:
        corners = np.eye(len(levels))
        for rival in acts:
            if rival != act:
                corners = clip(corners, payoffs[:, act] - payoffs[:, rival])
        if len(corners) >= len(levels) and np.ptp(corners, axis=0).max() > 1e-6:
            found.append((act, corners))
    return found


def pairs_figure(audit: Audit) -> bytes:
    """For every doubt between two levels a bar: the best act as the level named first gets more probable."""
    setting = audit.setting
    pairs = [(low, high) for low in range(setting.n) for high in range(low + 1, setting.n)]
    first = 1 if setting.design.urgent == "last" else 0
    figure, axes = plt.subplots(figsize=(WIDTH, 1.1 + 0.36 * len(pairs)))
    for place, pair in enumerate(pairs):
        for act, corners in regions(setting.earned, pair):
            start, end = 100 * corners[:, first].min(), 100 * corners[:, first].max()
            axes.barh(place, end - start, left=start, height=0.78, color=_colour(setting, act), edgecolor="white")
            if end - start > 7:
                _label(axes, ((start + end) / 2, place), _brief(setting, act))
    axes.axvline(50, color="black", linestyle="--", linewidth=1)
    names = [f"{_brief(setting, pair[first])} or {_brief(setting, pair[1 - first])}" for pair in pairs]
    axes.set_yticks(range(len(pairs)), names)
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel("how probable the level named first is (%)")
    axes.set_title(f"{setting.design.name}: best answer in a doubt between two", fontsize=11)
    return png(figure)


def triple_figure(audit: Audit, levels: tuple[int, int, int]) -> bytes:
    """The triangle of beliefs over three levels (from 0), by best act; hatched where that is not the likeliest."""
    setting = audit.setting
    figure, axes = plt.subplots(figsize=(WIDTH, WIDTH * 0.95))
    for act, corners in regions(setting.earned, levels):
        drawn = corners @ _CORNERS
        axes.add_patch(plt.Polygon(drawn, facecolor=_colour(setting, act), edgecolor="white", linewidth=1.5))
        if _area(corners) > _SMALL:
            _label(axes, tuple(drawn.mean(axis=0)), setting.act(act))
    for region in misfits(setting.earned, 3):
        if region.levels == levels:
            drawn = region.corners @ _CORNERS
            axes.add_patch(plt.Polygon(drawn, facecolor="none", edgecolor="black", hatch="////", linewidth=0))
    for side in ((0, 1), (1, 2), (0, 2)):  # where two levels are equally probable, and the third is less so
        middle = (_CORNERS[side[0]] + _CORNERS[side[1]]) / 2
        axes.plot(*zip(_CORNERS.mean(axis=0), middle, strict=True), color="black", linestyle="--", linewidth=1.2)
    for level, (x, y) in zip(levels, _CORNERS, strict=True):
        axes.text(x, y + (0.03 if y > 0.5 else -0.03), f"surely {setting.act(level)}", ha="center", fontsize=9,
                  va="bottom" if y > 0.5 else "top")  # fmt: skip
    axes.set_xlim(-0.12, 1.12)
    axes.set_ylim(-0.1, 0.96)
    axes.set_aspect("equal")
    axes.axis("off")
    axes.set_title(f"{setting.design.name}: best answer in a doubt between three", fontsize=11)
    return png(figure)


def course_figure(course: Course) -> bytes:
    """Over the simulated training: each answer's share of natural cases; bands hold 95 % of seeds."""
    shares, steps, n = course.natural.shares, course.steps, len(course.prior)
    figure, axes = plt.subplots(figsize=(WIDTH, WIDTH * 0.8))
    every = max(1, len(steps) // 8)
    for act in range(n + 1):
        name, colour = ("no answer", _SILENT) if act == n else (course.design.label(act + 1), _palette(n)[act])
        low, high = np.percentile(100 * shares[:, :, act], [2.5, 97.5], axis=1)
        axes.fill_between(steps, low, high, color=colour, alpha=0.2, linewidth=0)
        style: dict[str, Any] = {"linestyle": _LINES[act % len(_LINES)], "marker": _MARKS[act % len(_MARKS)]}
        axes.plot(steps, 100 * shares[:, :, act].mean(axis=1), color=colour, label=name, markersize=5,
                  markevery=(act * every // (n + 1), every), **style)  # fmt: skip
    axes.set_ylim(-2, 100)
    axes.set_xlabel("step")
    axes.set_ylabel("per cent of natural cases")
    axes.set_title(f"{course.design.name}: answers in simulated training", fontsize=11)
    axes.legend(fontsize=9, ncols=2)
    axes.grid(alpha=0.25)
    return png(figure)


def _area(corners: np.ndarray) -> float:
    x, y = corners[:, 0], corners[:, 1]
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)))


def _label(axes: Any, place: tuple[float, ...], text: str) -> None:
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.2}
    axes.text(*place, text, ha="center", va="center", fontsize=9, bbox=box)


def _brief(setting: Setting, act: int) -> str:
    return setting.act(act).removeprefix("ESI-") if act < setting.n else "none"


def _colour(setting: Setting, act: int) -> Any:
    return _SILENT if act == setting.n else _palette(setting.n)[act]


def _palette(n: int) -> Any:
    return _FIVE if n == len(_FIVE) else plt.get_cmap("turbo_r")(np.linspace(0.05, 0.9, n))
