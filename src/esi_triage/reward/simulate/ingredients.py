"""What it takes for a design to go wrong in the simulation: every combination of ingredients, and the smallest that do.

A design in a bare regime (cases drawn as they occur, a pure table, no token limit) is trained again with each
ingredient alone, with all of them, and with every combination between.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

import numpy as np

from ..design import Design, Paid
from ..policy import SKILL
from .course import Course, collapsed, simulate
from .learner import Regime

Arm = tuple[Design, Regime]
SILENCE = 0.1  # a tenth of the answers name no level
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
    means: dict[
        str, float
    ]  # over seeds, on natural cases: exact, hedge, silent and each level, `before` and at the end


class Answer(NamedTuple):
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


def answers(trials: Sequence[Trial]) -> list[Answer]:
    """What produces each outcome."""
    return [_answer(trials, outcome) for outcome in trials[0].happened]


def _answer(trials: Sequence[Trial], outcome: str) -> Answer:
    produce = [trial for trial in trials if trial.happened[outcome] >= 0.5]
    sets = [trial.ingredients for trial in produce]
    smallest = [trial for trial in produce if not any(other < trial.ingredients for other in sets)]
    needed = frozenset.intersection(*sets) if sets else frozenset()
    return Answer(outcome, smallest, needed, len(trials), len(produce))


def _arm(design: Design, changes: Sequence[Callable[[Design, Regime], Arm]]) -> Arm:
    arm = (design, Regime(oversampled=False))
    for change in changes:
        arm = change(*arm)
    return arm


def _trial(chosen: frozenset[str], course: Course, before: int, after: int) -> Trial:
    view, design = course.natural, course.design
    silent = view.shares[:, :, -1]
    fell = view.exact[before] - view.exact[after]
    rose = view.hedge[after] - view.hedge[before]
    into = collapsed(course, after)
    happened = {f"collapse into {design.label(level)}": into[:, level - 1] for level in design.levels}
    happened["hedging"] = (fell >= MOVED) & (rose >= MOVED)
    happened["silence learned"] = (silent[after] >= SILENCE) & (silent[after] > silent[0])
    happened["silence not unlearned"] = (silent[after] >= SILENCE) & (silent[after] <= silent[0])
    measured = {"exact before": view.exact[before], "exact": view.exact[after]}
    measured |= {"hedge before": view.hedge[before], "hedge": view.hedge[after]}
    measured |= {"silent at start": silent[0], "silent": silent[after]}
    measured |= {design.label(level): view.shares[after, :, level - 1] for level in design.levels}
    return Trial(
        chosen,
        {name: float(seeds.mean()) for name, seeds in happened.items()},
        {name: float(seeds.mean()) for name, seeds in measured.items()},
    )
