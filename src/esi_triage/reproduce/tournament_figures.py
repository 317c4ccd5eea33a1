"""Figures of a tournament: training curves with bands over seeds, spread by member, predicted against observed."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from ..evaluate.report.figures import LEVEL_COLOURS, smoothed
from ..page import png
from .over_seeds import SeedSpread
from .predicted_levels import ACTIONS, LevelShare

_LINES = ("-", "--", "-.", ":", (0, (3, 1, 1, 1, 1, 1)), (0, (1, 3)))
_MARKS = ("o", "s", "^", "D", "v", "x", "P", "*")
Rows = Sequence[Sequence[Mapping[str, Any]]]  # of each seed, its logged rows


def answers_figure(rows: Rows, title: str) -> bytes:
    """Over training: the share of each level among the rollouts, mean of the seeds and the range over them."""
    keys = {action: f"watch/{'none' if action == 'none' else f'answered_{action}'}" for action in ACTIONS}
    figure, axes = plt.subplots(figsize=(5.4, 3.3))
    for i, action in enumerate(ACTIONS):
        label = "no answer" if action == "none" else f"ESI {action}"
        _band(axes, rows, keys[action], i, LEVEL_COLOURS[action], label)
    return _finished(figure, axes, "share of rollouts", f"{title} (seeds: {len(rows)})", ncols=3)


def exact_figure(rows: Mapping[str, Rows]) -> bytes:
    """Over training: the share of exact answers among each member's rollouts, mean and range over its seeds."""
    figure, axes = plt.subplots(figsize=(7.2, 3.8))
    colours = plt.get_cmap("viridis")(np.linspace(0, 0.85, len(rows)))
    for i, (member, seeds) in enumerate(rows.items()):
        _band(axes, seeds, "watch/exact", i, colours[i], f"{member} (seeds: {len(seeds)})")
    return _finished(figure, axes, "exact among rollouts", "Exact answers in training", ncols=2)


def spread_figure(figures: Mapping[str, Mapping[str, SeedSpread]], labels: Mapping[str, str]) -> bytes:
    """One panel a figure: a mark for each seed of each member, and the mean with its interval."""
    figure, panels = plt.subplots(
        1, len(labels), figsize=(2.6 * len(labels) + 1, 0.45 * len(figures) + 1.4), sharey=True
    )
    places = range(len(figures))
    for axes, (name, label) in zip(np.atleast_1d(panels), labels.items(), strict=True):
        for place, found in zip(places, figures.values(), strict=True):
            mean = found[name].mean
            if mean["value"] is not None and mean["low"] is not None and mean["high"] is not None:
                axes.plot([100 * mean["low"], 100 * mean["high"]], [place, place], color="#8795a5", linewidth=2)
                axes.plot(100 * mean["value"], place, marker="|", markersize=14, color="black")
            axes.plot(100 * np.array(found[name].values), [place] * len(found[name].values), "o", color="#2c5f8a",
                      markersize=4, alpha=0.7)  # fmt: skip
        axes.margins(x=0.15)
        axes.set_title(label, fontsize=9)
        axes.set_xlabel("per cent")
        axes.grid(alpha=0.25)
    np.atleast_1d(panels)[0].set_yticks(places, list(figures))
    np.atleast_1d(panels)[0].invert_yaxis()
    return png(figure)


def predicted_figure(shares: Sequence[LevelShare], error: float) -> bytes:
    """Predicted shares across, observed ones up, one mark for each level, member and seed; on the line they agree."""
    figure, axes = plt.subplots(figsize=(4.6, 4.4))
    axes.plot([0, 100], [0, 100], color="#999999", linewidth=0.8)
    for i, action in enumerate(ACTIONS):
        own = [share for share in shares if share.action == action]
        axes.plot([100 * s.simulated for s in own], [100 * s.observed for s in own], linestyle="", marker=_MARKS[i],
                  markersize=5, alpha=0.75, color=LEVEL_COLOURS[action],
                  label="no answer" if action == "none" else f"ESI {action}")  # fmt: skip
    axes.set_xlabel("simulated, per cent of answers")
    axes.set_ylabel("observed, per cent of answers")
    axes.set_title(f"Mean absolute error {100 * error:.1f} points, n = {len(shares)}", fontsize=10)
    axes.legend(fontsize=8)
    axes.grid(alpha=0.25)
    return png(figure)


def _band(axes: Any, rows: Rows, key: str, i: int, colour: Any, label: str) -> None:
    length = min(map(len, rows))  # of an unfinished seed there is no run here; equal experiments log equal rows
    steps = [row["step"] for row in rows[0][:length]]
    curves = np.array([smoothed([row[key] for row in seed[:length]]) for seed in rows])
    every = max(1, length // 8)
    axes.fill_between(steps, curves.min(axis=0), curves.max(axis=0), color=colour, alpha=0.18, linewidth=0)
    axes.plot(steps, curves.mean(axis=0), color=colour, label=label, linestyle=_LINES[i % len(_LINES)],
              marker=_MARKS[i % len(_MARKS)], markersize=4, markevery=(i % every, every))  # fmt: skip


def _finished(figure: Any, axes: Any, label: str, title: str, ncols: int) -> bytes:
    axes.set_ylim(-0.02, 1)
    axes.set_xlabel("optimizer step")
    axes.set_ylabel(label)
    axes.set_title(title, fontsize=10)
    axes.legend(fontsize=8, ncols=ncols)
    axes.grid(alpha=0.25)
    return png(figure)
