"""What it takes for a design to go wrong in the simulation: every combination of ingredients, and the smallest that do.

    esi reward simulate DESIGN --ingredients

A design in a plain regime (cases drawn as they occur, a pure table, no token limit) is trained again with each
ingredient alone, with all of them, and with every combination between: 384, under a minute a design.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from esi_triage.reward.design import Design, Paid
from esi_triage.reward.policy import SKILL
from esi_triage.reward.simulate import CAVEAT, Course, Regime, collapsed, simulate

Arm = tuple[Design, Regime]
ABSTENTION = 0.1  # a tenth of the answers name no level
MOVED = 0.01  # hedging: exact falls, and the share of errors that are by one level rises, by this much at least
LONG = "trained on for as long again"
TEXT, EXACT = "bonuses to any text", "bonuses to exact only"  # never both


def _changes(prior: np.ndarray) -> dict[str, Callable[[Design, Regime], Arm]]:
    """Each ingredient as a change of design and regime."""
    weak = (SKILL + float((prior**2).sum())) / 2  # halfway between the usual warm start and drawing blindly
    return {
        "oversampling": lambda design, regime: (design, replace(regime, oversampled=True)),
        "shared parameters": lambda design, regime: (design, replace(regime, shared=0.5)),
        "truncation": lambda design, regime: (design, replace(regime, cut=0.9)),  # reported of v48: over 90 %
        "thinking pays": lambda design, regime: (design, replace(regime, insight=0.5, cut=regime.cut or 0.1)),
        "weak warm start": lambda design, regime: (design, replace(regime, skill=weak)),
        "small steps": lambda design, regime: (design, replace(regime, rate=0.03)),  # the card's learning rate is 8e-7
        TEXT: lambda design, regime: (_bonuses(design, "always"), regime),
        EXACT: lambda design, regime: (_bonuses(design, "exact"), regime),
    }


def _bonuses(design: Design, when: Paid) -> Design:
    return design.model_copy(update={"format_paid": when, "length_paid": when})


class Trial(NamedTuple):
    """One combination of ingredients, and in what share of seeds each outcome came about."""

    ingredients: frozenset[str]
    happened: dict[str, float]  # outcome: share of seeds
    means: dict[str, float]  # over seeds, in deployment: exact, hedge, no answer, each level; before and at the end


class Causes(NamedTuple):
    """What produces an outcome, that is, in at least half of the seeds. No sets: no combination that was tried."""

    outcome: str
    smallest: list[Trial]  # none of whose parts produces it
    needed: frozenset[str]  # in every combination that produces it
    tried: int
    produced: int


def ingredients(design: Design, prior: np.ndarray, steps: int = 750, seeds: int = 20) -> list[Trial]:
    """Every combination of the ingredients for one design, the empty one first.

    Half of them train for `steps` steps, and half go on from there for as long again, as v47 did from v46.
    """
    changes = _changes(prior)
    chosen = [frozenset(some) for k in range(len(changes) + 1) for some in combinations(changes, k)]
    chosen = [some for some in chosen if not {TEXT, EXACT} <= some]
    arms = [_arm(design, [change for name, change in changes.items() if name in some]) for some in chosen]
    courses = simulate(arms, prior, 2 * steps, seeds, every=steps)
    trials = [_trial(some, course, 0, 1) for some, course in zip(chosen, courses, strict=True)]
    trials += [_trial(some | {LONG}, course, 1, 2) for some, course in zip(chosen, courses, strict=True)]
    return sorted(trials, key=lambda trial: len(trial.ingredients))


def causes(trials: Sequence[Trial]) -> list[Causes]:
    """What produces each outcome."""
    return [_causes(trials, outcome) for outcome in trials[0].happened]


def _causes(trials: Sequence[Trial], outcome: str) -> Causes:
    produce = [trial for trial in trials if trial.happened[outcome] >= 0.5]
    sets = [trial.ingredients for trial in produce]
    smallest = [trial for trial in produce if not any(other < trial.ingredients for other in sets)]
    needed = frozenset.intersection(*sets) if sets else frozenset()
    return Causes(outcome, smallest, needed, len(trials), len(produce))


def _arm(design: Design, changes: Sequence[Callable[[Design, Regime], Arm]]) -> Arm:
    arm = (design, Regime(oversampled=False))
    for change in changes:
        arm = change(*arm)
    return arm


def _trial(chosen: frozenset[str], course: Course, before: int, after: int) -> Trial:
    view, design = course.deployment, course.design
    abstained = view.shares[:, :, -1]
    fell = view.exact[before] - view.exact[after]
    rose = view.hedge[after] - view.hedge[before]
    into = collapsed(course, after)
    happened = {f"collapse into {design.label(level)}": into[:, level - 1] for level in design.levels}
    happened["hedging"] = (fell >= MOVED) & (rose >= MOVED)
    happened["abstention learned"] = (abstained[after] >= ABSTENTION) & (abstained[after] > abstained[0])
    happened["abstention not unlearned"] = (abstained[after] >= ABSTENTION) & (abstained[after] <= abstained[0])
    measured = {"exact before": view.exact[before], "exact": view.exact[after]}
    measured |= {"hedge before": view.hedge[before], "hedge": view.hedge[after]}
    measured |= {"no answer at start": abstained[0], "no answer": abstained[after]}
    measured |= {design.label(level): view.shares[after, :, level - 1] for level in design.levels}
    return Trial(
        chosen,
        {name: float(seeds.mean()) for name, seeds in happened.items()},
        {name: float(seeds.mean()) for name, seeds in measured.items()},
    )


def report(designs: Sequence[Design], prior: np.ndarray, steps: int, seeds: int, as_json: bool) -> str:
    """What `esi reward simulate --ingredients` prints."""
    tried = [(design, ingredients(design, prior, steps, seeds)) for design in designs]
    if as_json:
        return json.dumps([_as_json(*one) for one in tried], indent=2, ensure_ascii=False)
    return "\n\n".join(_as_text(*one) for one in tried)


def _as_json(design: Design, trials: Sequence[Trial]) -> dict[str, Any]:
    """What produces each outcome, and every trial."""
    found = {
        cause.outcome: {
            "produced": cause.produced,
            "tried": cause.tried,
            "needed": sorted(cause.needed),
            "smallest": [sorted(trial.ingredients) for trial in cause.smallest],
        }
        for cause in causes(trials)
    }
    rows = [{**trial._asdict(), "ingredients": sorted(trial.ingredients)} for trial in trials]
    return {"caveat": CAVEAT, "design": design.name, "outcomes": found, "trials": rows}


def _as_text(design: Design, trials: Sequence[Trial]) -> str:
    """For each outcome that came about, the smallest combinations that produce it."""
    found = causes(trials)
    lines = [
        CAVEAT,
        "",
        f"{design.name}: {len(trials)} combinations of ingredients. What produces, in half of the seeds at least:",
    ]
    for cause in found:
        lines += _produced(cause) if cause.produced else []
    never = ", ".join(cause.outcome for cause in found if not cause.produced)
    return "\n".join([*lines, f"  No combination that was tried: {never}."] if never else lines)


def _produced(cause: Causes) -> list[str]:
    lines = [f"  {cause.outcome} ({cause.produced} combinations):"]
    for trial in cause.smallest:
        names = " + ".join(sorted(trial.ingredients)) or "the design alone"
        lines.append(f"    {names}  ({100 * trial.happened[cause.outcome]:.0f} % of seeds; {_moved(cause, trial)})")
    if len(cause.smallest) > 1 and cause.needed:
        lines.append(f"    needed in every case: {', '.join(sorted(cause.needed))}")
    return lines


def _moved(cause: Causes, trial: Trial) -> str:
    """The figures that belong to the outcome."""
    means = {name: f"{100 * mean:.0f} %" for name, mean in trial.means.items()}
    if cause.outcome.startswith("collapse"):
        level = cause.outcome.removeprefix("collapse into ")
        return f"{level} given to {means[level]}"
    if cause.outcome == "hedging":
        exact, hedge = (f"{means[f'{name} before']} to {means[name]}" for name in ("exact", "hedge"))
        return f"exact {exact}, wrong by one {hedge} of errors"
    return f"no answer {means['no answer at start']} at the start, {means['no answer']} at the end"
