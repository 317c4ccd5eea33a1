"""Figures of a design as PNG bytes: readable without colour and on a phone."""

from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from ..page import png
from .audit import Audit
from .audit.beliefs import doubts
from .audit.setting import Setting
from .simulate import Course

WIDTH = 4.3  # inches; on a phone of 390 px, 9 pt are then about 10 px
_FIVE = ("#a50026", "#e8743b", "#e0b400", "#5aae61", "#2c7bb6")
_NO_ANSWER = "#777777"
_LINES = ("-", "--", "-.", ":", (0, (3, 1, 1, 1, 1, 1)))
_MARKS = "os^Dv<>p"
_CENTRED: dict[str, Any] = {"ha": "center", "va": "center"}
_BOX = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.2}


def table_figure(audit: Audit, most: float) -> bytes:
    """The table as written, abstention in the last column. Colours go from -`most` to `most`."""
    return _heat(audit.setting, audit.design.rewards, np.zeros_like(audit.setting.wrong), most, "reward")


def advantage_figure(audit: Audit, most: float) -> bytes:
    """What GRPO makes of each answer, under the trainer's scaling; boxed: wrong and yet reinforced."""
    setting = audit.setting
    return _heat(setting, advantages(audit), reinforced(audit), most, "expected advantage")


def advantages(audit: Audit) -> np.ndarray:
    """(n, n + 1): the expected advantage of each answer, abstention last, as the audit measured it."""
    rows = audit.measured["groups"]["advantages"]
    return np.array([list(row.values()) for row in rows.values()])


def reinforced(audit: Audit) -> np.ndarray:
    """(n, n) bool: wrong answers with a positive expected advantage."""
    return audit.setting.wrong & (advantages(audit)[:, :-1] > 1e-9)


def _heat(setting: Setting, values: np.ndarray, boxed: np.ndarray, most: float, title: str) -> bytes:
    n = setting.n
    figure, axes = plt.subplots(figsize=(WIDTH, 1.1 + WIDTH * n / (n + 1.6)))
    axes.imshow(values, cmap="PuOr", vmin=-most, vmax=most)
    for (gold, action), value in np.ndenumerate(values):
        style = {"color": "white" if abs(value) > 0.65 * most else "black", "fontsize": 10 if n <= 5 else 7}
        axes.text(action, gold, _number(value), weight="bold" if gold == action else "normal", **_CENTRED, **style)
    for gold, action in np.argwhere(boxed):
        corner = (action - 0.44, gold - 0.44)
        axes.add_patch(plt.Rectangle(corner, 0.88, 0.88, fill=False, edgecolor="black", linewidth=1.6))
    names = [setting.action(action) for action in range(n)]
    axes.set_xticks(range(n + 1), [*names, "none"], fontsize=9, rotation=0 if n <= 5 else 45)
    axes.set_yticks(range(n), names, fontsize=9)
    axes.set(xlabel="answered", ylabel="true level")
    axes.set_title(f"{setting.design.name}: {title}", fontsize=11)
    return png(figure)


def _number(value: float) -> str:
    if abs(value) < 0.005:
        return "0"
    return f"{value:+.1f}" if abs(round(value, 1) - value) < 1e-9 else f"{value:+.2f}"


def pairs_figure(audit: Audit) -> bytes:
    """For every doubt between two levels a bar: the best action as the level named first gets more probable."""
    setting = audit.setting
    pairs = [(low, high) for low in range(setting.n) for high in range(low + 1, setting.n)]
    first = 1 if setting.design.urgent == "last" else 0
    figure, axes = plt.subplots(figsize=(WIDTH, 1.1 + 0.36 * len(pairs)))
    for place, pair in enumerate(pairs):
        for doubt in doubts(setting.with_bonuses, pair):
            start, end = (100 * (1 - p if first else p) for p in (doubt.start, doubt.end))
            colour = _colour(setting.n, doubt.action)
            axes.barh(place, end - start, left=start, height=0.78, color=colour, edgecolor="white")
            if abs(end - start) > 7:
                name = _brief(setting, doubt.action)
                axes.text((start + end) / 2, place, name, fontsize=9, bbox=_BOX, **_CENTRED)
    axes.axvline(50, color="black", linestyle="--", linewidth=1)
    names = [f"{_brief(setting, pair[first])} or {_brief(setting, pair[1 - first])}" for pair in pairs]
    axes.set_yticks(range(len(pairs)), names)
    axes.invert_yaxis()
    axes.set(xlim=(0, 100), xlabel="how probable the level named first is (%)")
    axes.set_title(f"{setting.design.name}: best answer in a doubt between two", fontsize=11)
    return png(figure)


def course_figure(course: Course) -> bytes:
    """Over the simulated training: each answer's share of cases in deployment; bands hold 95 % of seeds."""
    shares, steps, n = course.deployment.shares, course.steps, len(course.prior)
    figure, axes = plt.subplots(figsize=(WIDTH, WIDTH * 0.8))
    every, names = max(1, len(steps) // 8), [*map(course.design.label, course.design.levels), "no answer"]
    for action, name in enumerate(names):
        colour = _colour(n, action)
        low, high = np.percentile(100 * shares[:, :, action], [2.5, 97.5], axis=1)
        axes.fill_between(steps, low, high, color=colour, alpha=0.2, linewidth=0)
        style: dict[str, Any] = {"linestyle": _LINES[action % len(_LINES)], "marker": _MARKS[action % len(_MARKS)]}
        axes.plot(steps, 100 * shares[:, :, action].mean(axis=1), color=colour, label=name, markersize=5,
                  markevery=(action * every // (n + 1), every), **style)  # fmt: skip
    axes.set(ylim=(-2, 100), xlabel="step", ylabel="per cent of cases in deployment")
    axes.set_title(f"{course.design.name}: answers in simulated training", fontsize=11)
    axes.legend(fontsize=9, ncols=2)
    axes.grid(alpha=0.25)
    return png(figure)


def _brief(setting: Setting, action: int) -> str:
    return setting.action(action).removeprefix("ESI-") if action < setting.n else "none"


def _colour(n: int, action: int) -> Any:
    if action == n:
        return _NO_ANSWER
    return _FIVE[action] if n == len(_FIVE) else plt.get_cmap("turbo_r")(np.linspace(0.05, 0.9, n))[action]
