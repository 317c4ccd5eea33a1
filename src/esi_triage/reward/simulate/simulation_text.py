"""Simulations in words and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from .training_course import CAVEAT, Course, View, collapsed

RECORDS = 10  # stretches of training in the JSON


def simulations_as_json(courses: Sequence[Course]) -> dict[str, Any]:
    """Every course at eleven points of training; intervals hold 95 % of single seeds (percentiles 2.5 and 97.5)."""
    return {
        "caveat": CAVEAT,
        "interval": "percentiles 2.5 and 97.5 over seeds",
        "courses": [_course(c) for c in courses],
    }


def simulations_as_text(courses: Sequence[Course]) -> str:
    """A table of what each design's policy answers in deployment at the start, half way, and at the end."""
    design, prior = courses[0].design, courses[0].prior
    names = [design.label(level) for level in design.levels]
    width = 13
    head = f"{'':14}" + "".join(f"{name:<{width}}" for name in [*names, "no answer", "exact", "wrong by one*"])
    occurs = f"{'occurs':14}" + "".join(f"{_percent(share):<{width}}" for share in prior)
    lines = [
        CAVEAT,
        _conditions(courses[0]),
        "",
        "Per cent of cases in deployment: mean over seeds (95 % of single seeds)",
    ]
    lines += [head.rstrip(), occurs.rstrip()]
    for course in courses:
        view = course.deployment
        for record in sorted({0, (len(course.steps) - 1) // 2, len(course.steps) - 1}):
            columns = [*view.shares[record].T, view.exact[record], view.hedge[record]]  # (seeds,) each
            cells = "".join(f"{_cell(values):<{width}}" for values in columns)
            name = course.design.name[:8] if record == 0 else ""
            lines.append(f"{name:9}{course.steps[record]:>4} {cells}".rstrip())
    return "\n".join([*lines, "* share of all wrong answers", "", *(_verdict(course) for course in courses)])


def _conditions(course: Course) -> str:
    regime, seeds = course.regime, course.deployment.exact.shape[1]
    shared = f"{100 * regime.shared:.0f} % of each step moves all answers" if regime.shared else "a pure table"
    lengths = f"; {100 * regime.cut:.0f} % of rollouts cut at the start" if regime.cut else ""
    return f"{seeds} seeds; the warm start is exact in {100 * regime.skill:.0f} %; {shared}{lengths}."


def _verdict(course: Course) -> str:
    """Whether it collapsed, and which level is given most beyond its share."""
    design, prior = course.design, course.prior
    given = course.deployment.shares[-1].mean(axis=0)[:-1]
    most = int(np.argmax(given - prior))
    times = f"{given[most] / prior[most]:.1f} times its share" if prior[most] else "though it never occurs"
    into = collapsed(course)
    fate = "no seed collapsed"
    if into.any():
        level = design.label(int(into.sum(axis=0).argmax()) + 1)
        fate = f"{into.any(axis=1).sum()} of {len(into)} seeds collapsed, into {level}"
    return f"{design.name}: {fate}; most over-given is {design.label(most + 1)}, {times}."


def _cell(values: np.ndarray) -> str:
    mean, low, high = map(_percent, _interval(values).values())
    return mean if low == high else f"{mean} ({low}–{high})"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}" if share >= 0.01 or share == 0 else "<1"


def _course(course: Course) -> dict[str, Any]:
    records = np.unique(np.linspace(0, len(course.steps) - 1, RECORDS + 1).round().astype(int))
    return {
        "design": course.design.name,
        "regime": asdict(course.regime),
        "collapsed_seeds": int(collapsed(course).any(axis=1).sum()),
        "seeds": course.deployment.exact.shape[1],
        "course": [
            {
                "step": int(course.steps[i]),
                "natural": _measured(course.deployment, i),
                "stream": _measured(course.training, i),
            }
            for i in records
        ],
    }


def _measured(view: View, record: int) -> dict[str, Any]:
    levels = [str(level) for level in range(1, view.shares.shape[2])]
    shares = dict(zip([*levels, "none"], map(_interval, view.shares[record].T), strict=True))
    return {"shares": shares, "exact": _interval(view.exact[record]), "hedge": _interval(view.hedge[record])}


def _interval(values: np.ndarray) -> dict[str, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return {"mean": round(float(values.mean()), 6), "low": round(float(low), 6), "high": round(float(high), 6)}
