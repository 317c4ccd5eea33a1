"""Figures as PNG bytes: readable without colour, each with its n."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from ..page import png

LEVEL_COLOURS = {"1": "#a50026", "2": "#e8743b", "3": "#e0b400", "4": "#5aae61", "5": "#2c7bb6", "none": "#777777"}
_LINES = {"1": "-", "2": "--", "3": "-.", "4": ":", "5": (0, (3, 1, 1, 1, 1, 1)), "none": (0, (1, 3))}
_MARKS = {"1": "o", "2": "s", "3": "^", "4": "D", "5": "v", "none": "x"}


def confusion_figure(counts: Sequence[Sequence[int]], title: str) -> bytes:
    """A confusion matrix, 5 gold rows by 6 columns (the last: no answer); each cell has its count."""
    table = np.array(counts)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    figure, axes = plt.subplots(figsize=(4.6, 3.9))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(table):
        colour = "white" if shares[row, column] > 0.55 else "black"
        weight = "bold" if row == column else "normal"
        axes.text(column, row, str(count), ha="center", va="center", color=colour, fontweight=weight)
    axes.set_xticks(range(6), ["1", "2", "3", "4", "5", "none"])
    axes.set_yticks(range(5), ["1", "2", "3", "4", "5"])
    axes.set_xlabel("answered ESI level")
    axes.set_ylabel("gold ESI level")
    axes.set_title(f"{title} (n = {table.sum()})", fontsize=10)
    return png(figure)


def shares_figure(steps: Sequence[int], shares: Mapping[str, Sequence[float]], title: str) -> bytes:
    """Over training: the share of each predicted level and of no answer among the rollouts."""
    figure, axes = plt.subplots(figsize=(5.4, 3.3))
    for i, (level, values) in enumerate(shares.items()):
        label = "no answer" if level == "none" else f"ESI {level}"
        every = max(1, len(steps) // 8)
        style = {"linestyle": _LINES[level], "marker": _MARKS[level], "markevery": (i % every, every), "markersize": 4}
        axes.plot(steps, smoothed(values), color=LEVEL_COLOURS[level], label=label, **style)
    axes.set_ylim(-0.02, 1)
    axes.set_xlabel("optimizer step")
    axes.set_ylabel("share of rollouts")
    axes.set_title(title, fontsize=10)
    axes.legend(fontsize=8, ncols=3)
    axes.grid(alpha=0.25)
    return png(figure)


def rewards_figure(steps: Sequence[int], parts: Mapping[str, Sequence[float]], title: str) -> bytes:
    """Over training: the mean of each reward part, and their sum."""
    figure, axes = plt.subplots(figsize=(5.4, 3.3))
    styles = {
        "total": ("-", "black"),
        "answer": ("--", "#a50026"),
        "format": (":", "#2c7bb6"),
        "length": ("-.", "#5a7d2a"),
    }
    for part, values in parts.items():
        line, colour = styles[part]
        axes.plot(steps, smoothed(values), linestyle=line, color=colour, label=part)
    axes.axhline(0, color="#999999", linewidth=0.8)
    axes.set_xlabel("optimizer step")
    axes.set_ylabel("mean reward per rollout")
    axes.set_title(title, fontsize=10)
    axes.legend(fontsize=8, ncols=2)
    axes.grid(alpha=0.25)
    return png(figure)


def smoothed(values: Sequence[float], window: int = 5) -> np.ndarray:
    """Running mean over at most `window` values up to each point."""
    array = np.asarray(values, dtype=float)
    totals = np.cumsum(np.insert(array, 0, 0.0))
    ends = np.arange(1, len(array) + 1)
    starts = np.maximum(0, ends - window)
    return (totals[ends] - totals[starts]) / (ends - starts)
