"""Simulations in words and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ..design import Design
from .course import CAVEAT, Course, View, collapsed
from .ingredients import Answer, Trial, answers

RECORDS = 10  # stretches of training in the JSON


def as_json(courses: Sequence[Course]) -> dict[str, Any]:
    """Every course at eleven points of training; intervals hold 95 % of single seeds (percentiles 2.5 and 97.5)."""
    return {
        "caveat": CAVEAT,
        "interval": "percentiles 2.5 and 97.5 over seeds",
        "courses": [_course(c) for c in courses],
    }


def as_text(courses: Sequence[Course]) -> str:
    """A table of what each design's policy answers on natural cases at the start, half way, and at the end."""
    design, prior = courses[0].design, courses[0].prior
    names = [design.label(level) for level in design.levels]
    width = 13
    head = f"{'':14}" + "".join(f"{name:<{width}}" for name in [*names, "no answer", "exact", "wrong by one*"])
    occurs = f"{'occurs':14}" + "".join(f"{_percent(share):<{width}}" for share in prior)
    lines = [CAVEAT, _conditions(courses[0]), "", "Per cent of natural cases: mean over seeds (95 % of single seeds)"]
    lines += [head.rstrip(), occurs.rstrip()]
    for course in courses:
        for record in sorted({0, (len(course.steps) - 1) // 2, len(course.steps) - 1}):
            cells = "".join(f"{_cell(values):<{width}}" for values in _columns(course.natural, record))
            name = course.design.name[:8] if record == 0 else ""
            lines.append(f"{name:9}{course.steps[record]:>4} {cells}".rstrip())
    return "\n".join([*lines, "* share of all wrong answers", "", *(_verdict(course) for course in courses)])


def ingredients_as_json(design: Design, trials: Sequence[Trial]) -> dict[str, Any]:
    """What produces each outcome, and every trial."""
    found = {
        answer.outcome: {
            "produced": answer.produced,
            "tried": answer.tried,
            "needed": sorted(answer.needed),
            "smallest": [sorted(trial.ingredients) for trial in answer.smallest],
        }
        for answer in answers(trials)
    }
    rows = [{**trial._asdict(), "ingredients": sorted(trial.ingredients)} for trial in trials]
    return {"caveat": CAVEAT, "design": design.name, "outcomes": found, "trials": rows}


def ingredients_as_text(design: Design, trials: Sequence[Trial]) -> str:
    """For each outcome that came about, the smallest combinations that produce it."""
    found = answers(trials)
    lines = [
        CAVEAT,
        "",
        f"{design.name}: {len(trials)} combinations of ingredients. What produces, in half of the seeds at least:",
    ]
    for answer in found:
        lines += _produced(answer) if answer.produced else []
    never = ", ".join(answer.outcome for answer in found if not answer.produced)
    return "\n".join([*lines, f"  No combination that was tried: {never}."] if never else lines)


def _produced(answer: Answer) -> list[str]:
    lines = [f"  {answer.outcome} ({answer.produced} combinations):"]
    for trial in answer.smallest:
        names = " + ".join(sorted(trial.ingredients)) or "nothing but the bare design"
        lines.append(f"    {names}  ({100 * trial.happened[answer.outcome]:.0f} % of seeds; {_moved(answer, trial)})")
    if len(answer.smallest) > 1 and answer.needed:
        lines.append(f"    needed in every case: {', '.join(sorted(answer.needed))}")
    return lines


def _moved(answer: Answer, trial: Trial) -> str:
    """The figures that belong to the outcome."""
    means = {name: f"{100 * mean:.0f} %" for name, mean in trial.means.items()}
    if answer.outcome.startswith("collapse"):
        level = answer.outcome.removeprefix("collapse into ")
        return f"{level} given to {means[level]}"
    if answer.outcome == "hedging":
        exact, hedge = (f"{means[f'{name} before']} to {means[name]}" for name in ("exact", "hedge"))
        return f"exact {exact}, wrong by one {hedge} of errors"
    return f"no answer {means['silent at start']} at the start, {means['silent']} at the end"


def _conditions(course: Course) -> str:
    regime, seeds = course.regime, course.natural.exact.shape[1]
    shared = f"{100 * regime.shared:.0f} % of each step moves all answers" if regime.shared else "a pure table"
    lengths = f"; {100 * regime.cut:.0f} % of rollouts cut at the start" if regime.cut else ""
    return f"{seeds} seeds; the warm start is exact in {100 * regime.skill:.0f} %; {shared}{lengths}."


def _verdict(course: Course) -> str:
    """Whether it collapsed, and which level is given most beyond its share."""
    design, prior = course.design, course.prior
    given = course.natural.shares[-1].mean(axis=0)[:-1]
    most = int(np.argmax(given - prior))
    times = f"{given[most] / prior[most]:.1f} times its share" if prior[most] else "though it never occurs"
    into = collapsed(course)
    fate = "no seed collapsed"
    if into.any():
        level = design.label(int(into.sum(axis=0).argmax()) + 1)
        fate = f"{into.any(axis=1).sum()} of {len(into)} seeds collapsed, into {level}"
    return f"{design.name}: {fate}; most over-given is {design.label(most + 1)}, {times}."


def _columns(view: View, record: int) -> list[np.ndarray]:
    """(seeds,) for each column of the table."""
    return [*view.shares[record].T, view.exact[record], view.hedge[record]]


def _cell(values: np.ndarray) -> str:
    low, high = (_percent(value) for value in np.percentile(values, [2.5, 97.5]))
    mean = _percent(values.mean())
    return mean if low == high else f"{mean} ({low}–{high})"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}" if share >= 0.01 or share == 0 else "<1"


def _course(course: Course) -> dict[str, Any]:
    records = np.unique(np.linspace(0, len(course.steps) - 1, RECORDS + 1).round().astype(int))
    return {
        "design": course.design.name,
        "regime": asdict(course.regime),
        "collapsed_seeds": int(collapsed(course).any(axis=1).sum()),
        "seeds": course.natural.exact.shape[1],
        "course": [
            {
                "step": int(course.steps[i]),
                "natural": _measured(course, i, "natural"),
                "stream": _measured(course, i, "stream"),
            }
            for i in records
        ],
    }


def _measured(course: Course, record: int, kind: str) -> dict[str, Any]:
    view: View = getattr(course, kind)
    levels = [str(level) for level in course.design.levels]
    shares = dict(zip([*levels, "none"], map(_interval, view.shares[record].T), strict=True))
    return {"shares": shares, "exact": _interval(view.exact[record]), "hedge": _interval(view.hedge[record])}


def _interval(values: np.ndarray) -> dict[str, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return {"mean": round(float(values.mean()), 6), "low": round(float(low), 6), "high": round(float(high), 6)}
