"""Figures as PNG bytes: readable without colour, each with its n."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from ...page import png
from ..statistics.intervals import Figure
from .summary import compared
from .tables import said

LEVEL_COLOURS = {"1": "#a50026", "2": "#e8743b", "3": "#e0b400", "4": "#5aae61", "5": "#2c7bb6", "none": "#777777"}
_LINES = {"1": "-", "2": "--", "3": "-.", "4": ":", "5": (0, (3, 1, 1, 1, 1, 1)), "none": (0, (1, 3))}
_MARKS = {"1": "o", "2": "s", "3": "^", "4": "D", "5": "v", "none": "x"}


_OUTCOME_MARKS = (("s", "black"), ("D", "black"), ("o", "#2c5f8a"))  # gold, the model, the others
_PANELS = 2  # side by side


class Drawn(NamedTuple):
    """A PNG and what it shows, in words, for those who cannot see it."""

    image: bytes
    words: str


def drawn(model: str, m: Mapping[str, Any]) -> dict[str, Drawn]:
    """The figures of one evaluation's report by name; `m` is its metrics.json."""
    found = {
        "summary": Drawn(
            summary_figure(compared(model, m)),
            "Share of exact answers, and sensitivity for levels 1 and 2, of this model and of the baselines",
        ),
        "confusion": Drawn(
            confusion_figure(m["confusion"], model),
            "Confusion matrix: gold level in rows, answered level in columns; the counts are in metrics.json",
        ),
        "levels": Drawn(levels_figure(m["per_class"]), "Sensitivity and positive predictive value of each level"),
        "comparison": Drawn(
            comparison_figure(model, m), "Share of exact answers of this model and of each baseline, with intervals"
        ),
    }
    if by_outcome := m.get("outcomes", {}).get("by_outcome"):
        found["outcomes"] = Drawn(
            outcomes_figure(by_outcome),
            "AUROC of each outcome by the model's, the gold and the baselines' levels, with intervals",
        )
    if "calibration" in m:
        c = m["calibration"]
        found["reliability"] = Drawn(reliability_figure(c["reliability"]), "Share of exact answers against confidence")
        found["risk"] = Drawn(risk_figure(c["risk_coverage"]), "Share of exact answers when fewer cases are answered")
    if curve := m.get("hand_overs", {}).get("kept_by_trust"):
        words = "Share wrong, and share of ESI 1-2 called 3 to 5, when only the most probable answers are kept"
        found["kept"] = Drawn(kept_figure(curve), words)
    return found


def summary_figure(rows: Mapping[str, Mapping[str, Any]], models: int = 1) -> bytes:
    """Two panels, one below the other: exact, and sensitivity for levels 1 and 2; the first `models` rows stand out."""
    figure, panels = plt.subplots(2, 1, figsize=(4.8, 1.5 + 0.56 * len(rows)), sharex=True, layout="constrained")
    shares = {"exact": "exact", "high_acuity_sensitivity": "sensitivity, levels 1–2"}
    for axes, (share, title) in zip(panels, shares.items(), strict=True):
        shown = [row[share] for row in rows.values()]
        for place, one in enumerate(shown):
            if one["value"] is not None:
                mark, colour = ("D", "black") if place < models else ("o", "#2c5f8a")
                ends = [[one["value"] - one["low"]], [one["high"] - one["value"]]]
                axes.errorbar([one["value"]], [place], xerr=ends, fmt=mark, color=colour, capsize=3)
        axes.set_yticks(range(len(rows)), [textwrap.shorten(name, 24, placeholder="…") for name in rows], fontsize=9)
        for label in axes.get_yticklabels()[:models]:
            label.set_fontweight("bold")
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(-0.02, 1.02)
        axes.set_title(f"{title} (n = {shown[0]['n']})", fontsize=10, loc="left")
        axes.grid(axis="x", alpha=0.25)
    panels[-1].set_xlabel("share, with 95 % interval")
    return png(figure)


def levels_figure(per_class: Mapping[str, Any]) -> bytes:
    """Per level: sensitivity (circle) and positive predictive value (square), each with its interval."""
    figure, axes = plt.subplots(figsize=(4.6, 3.9))
    for name, shift, mark, label in (
        ("sensitivity", -0.12, "o", "sensitivity"),
        ("ppv", 0.12, "s", "positive predictive value"),
    ):
        places = [int(level) + shift for level in per_class]
        _points(axes, places, [c[name] for c in per_class.values()], mark, label)
    axes.set_xticks(range(1, 6), [f"ESI {level}\nn = {c['gold_n']}" for level, c in per_class.items()])
    axes.set_ylim(-0.03, 1.03)
    axes.set_ylabel("share, with 95 % interval")
    axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, 1.14), ncols=2, frameon=False)
    axes.grid(axis="y", alpha=0.25)
    return png(figure)


def comparison_figure(model: str, m: Mapping[str, Any]) -> bytes:
    """The model and its baselines, one below the other: exact, with its interval; a line at the model's own."""
    rows = [(model, m["exact"]), *((said(name), b["exact"]) for name, b in m["baselines"].items())]
    figure, axes = plt.subplots(figsize=(6.4, 0.9 + 0.32 * len(rows)))
    for place, (_, exact) in enumerate(rows):
        mark, colour = ("D", "black") if place == 0 else ("o", "#2c5f8a")
        ends = [[exact["value"] - exact["low"]], [exact["high"] - exact["value"]]]
        axes.errorbar([exact["value"]], [place], xerr=ends, fmt=mark, color=colour, capsize=3)
    axes.axvline(m["exact"]["value"], color="#888888", linestyle=":", linewidth=1)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.get_yticklabels()[0].set_fontweight("bold")
    axes.invert_yaxis()
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel(f"exact, with 95 % interval (n = {m['n']})")
    axes.grid(axis="x", alpha=0.25)
    return png(figure)


def outcomes_figure(by_outcome: Mapping[str, Any]) -> bytes:
    """One panel an outcome: AUROC of each row of levels, one below the other, with its interval."""
    shown = {name: o for name, o in by_outcome.items() if 0 < o["events"] < o["n"]}
    lines = max(1, -(-len(shown) // _PANELS))
    tall = 0.9 + 0.3 * max((len(o["rows"]) for o in shown.values()), default=1)
    figure, panels = plt.subplots(lines, _PANELS, figsize=(6.8, tall * lines), squeeze=False, layout="constrained")
    for axes in panels.flat[len(shown) :]:
        axes.set_axis_off()
    for axes, (name, outcome) in zip(panels.flat, shown.items(), strict=False):
        rows = [(said(who), row["auroc"]) for who, row in outcome["rows"].items()]
        for place, (_, auroc) in enumerate(rows):
            ends = [[auroc["value"] - auroc["low"]], [auroc["high"] - auroc["value"]]]
            mark, colour = _OUTCOME_MARKS[min(place, 2)]
            axes.errorbar([auroc["value"]], [place], xerr=ends, fmt=mark, color=colour, capsize=3)
        axes.axvline(0.5, color="#888888", linestyle=":", linewidth=1)
        axes.set_yticks(range(len(rows)), [who for who, _ in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(0.3, 1.02)
        axes.set_title(f"{name.replace('_', ' ')} ({outcome['events']} of {outcome['n']})", fontsize=9)
        axes.set_xlabel("AUROC, with 95 % interval", fontsize=8)
        axes.grid(axis="x", alpha=0.25)
    return png(figure)


def reliability_figure(bins: Sequence[Mapping[str, Any]]) -> bytes:
    """Exact against confidence by bin; the dashed line is perfect calibration."""
    figure, axes = plt.subplots(figsize=(4.6, 3.9))
    axes.plot([0, 1], [0, 1], color="#888888", linestyle="--", linewidth=1, label="perfect calibration")
    _points(axes, [b["confidence"] for b in bins], [b["exact"] for b in bins], "o", "answers")
    for b in bins:
        axes.annotate(f"n={b['exact']['n']}", (b["confidence"], 0.02), fontsize=7, rotation=90, ha="center")
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.03)
    axes.set_xlabel("confidence (probability of the answered level)")
    axes.set_ylabel("exact, with 95 % interval")
    axes.legend(fontsize=8, loc="upper left")
    axes.grid(alpha=0.25)
    return png(figure)


def risk_figure(curve: Sequence[Mapping[str, Any]]) -> bytes:
    """Exact against coverage: what is right where only the most confident answers are given."""
    figure, axes = plt.subplots(figsize=(4.6, 3.9))
    x = [point["coverage"] for point in curve]
    axes.fill_between(
        x,
        [p["exact"]["low"] for p in curve],
        [p["exact"]["high"] for p in curve],
        color="#c9d9e8",
        label="95 % interval",
    )
    axes.plot(x, [p["exact"]["value"] for p in curve], color="black", marker="o", markersize=4, label="exact")
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.03)
    axes.set_xlabel("share of cases answered, the most confident first")
    axes.set_ylabel("exact among the answered")
    axes.legend(fontsize=8, loc="lower left")
    axes.grid(alpha=0.25)
    return png(figure)


def kept_figure(curve: Sequence[Mapping[str, Any]]) -> bytes:
    """Risk against coverage: of the kept cases, the share wrong and the share of ESI 1-2 called 3 to 5."""
    figure, axes = plt.subplots(figsize=(4.6, 3.9))
    x = [point["coverage"] for point in curve]
    wrong = [1 - point["exact"]["value"] for point in curve]
    axes.plot(x, wrong, color="black", marker="o", markersize=4, label="wrong")
    missed = [point["missed_urgent"] for point in curve]
    axes.fill_between(
        x, [m["low"] for m in missed], [m["high"] for m in missed], color="#f0d2c2", label="95 % interval"
    )
    called = [m["value"] for m in missed]
    axes.plot(x, called, color="#b3541e", marker="s", markersize=4, linestyle="--", label="ESI 1-2 called 3-5")
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, max(0.1, *wrong) * 1.1)
    axes.set_xlabel("share of cases kept, the most probable first")
    axes.set_ylabel("share of the kept cases")
    axes.legend(fontsize=8, loc="upper left")
    axes.grid(alpha=0.25)
    return png(figure)


def _points(axes: Any, places: Sequence[float], shares: Sequence[Figure], mark: str, label: str) -> None:
    """Shares with their intervals; those that are not defined are left out."""
    there = [
        (x, s["value"], s["low"], s["high"]) for x, s in zip(places, shares, strict=True) if s["value"] is not None
    ]
    x, value, low, high = np.array(there, dtype=float).reshape(-1, 4).T
    colour = "black" if mark == "o" else "#b3541e"
    axes.errorbar(x, value, yerr=[value - low, high - value], fmt=mark, color=colour, capsize=3, label=label)


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
        "steps": ((0, (3, 1, 1, 1)), "#b3541e"),
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
