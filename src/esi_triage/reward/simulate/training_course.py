"""Run policies through training, and record what they do under way."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...errors import InputError
from ...progress import bar
from ..design import Design
from .acuity_readings import blind_skill
from .learner import DOUBLING, Learners, Regime

CAVEAT = "A demonstration of incentives on tables of logits, not evidence about a language model."
COLLAPSE = 3.0  # a level is given so many times as often as it occurs
SILENT = 0.2  # so many cases are left without an answer; on the model card, v48 ended at 0.25
GROUP = 8  # rollouts of a prompt, as on the card


class View(NamedTuple):
    """What the policies do on one kind of cases, at each record: exact expectations, no sampling."""

    shares: np.ndarray  # (records, seeds, n + 1): levels 1 to n, then no answer
    exact: np.ndarray  # (records, seeds): share of all cases
    hedge: np.ndarray  # (records, seeds): wrong by one, over all wrong answers; 0 where nothing is wrong


class Course(NamedTuple):
    """One design under one regime, over all seeds."""

    design: Design
    regime: Regime
    prior: np.ndarray  # (n,)
    steps: np.ndarray  # (records,): how many steps came before each record
    deployment: View  # under the prior, with twice the token limit: as the card evaluates
    training: View  # under the oversampled prior, at the token limit: as the trainer sees it


def simulate(
    arms: Sequence[tuple[Design, Regime]], prior: np.ndarray, steps: int = 750, seeds: int = 20, every: int = 1
) -> list[Course]:
    """Train each (design, regime) for `steps` steps and `seeds` seeds, all at once, with a record `every` few steps.

    `prior` is (n,), the shares of the levels in deployment. Seed k draws the same random numbers in every arm and
    whatever else is simulated, so arms can be compared seed by seed. InputError where an arm cannot be simulated.
    """
    _check(arms, prior)
    draws = [np.random.default_rng([0, seed]).random((steps, 2 + 3 * GROUP)) for seed in range(seeds)]
    learners = Learners(arms, prior, seeds)
    records: list[tuple[int, np.ndarray, np.ndarray]] = []
    with bar("simulation", steps, "step") as progress:
        for step in range(steps + 1):
            if step % every == 0 or step == steps:
                deployed = learners.joint(learners.deployment, slack=DOUBLING, measured=True)
                records.append((step, deployed, learners.joint(learners.training, slack=0.0)))
            if step < steps:
                learners.learn(np.stack([numbers[step] for numbers in draws]))
                progress.update()
    taken, deployment, training = map(np.array, zip(*records, strict=True))  # records first
    return [Course(*arm, prior, taken, _view(deployment[:, i]), _view(training[:, i])) for i, arm in enumerate(arms)]


def collapsed(course: Course, record: int = -1) -> np.ndarray:
    """(seeds, n): into which level a policy has collapsed, in deployment."""
    return over_given(course.deployment.shares[record, :, :-1], course.prior)


def over_given(shares: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """(…, n) bool: levels that take over, by the shares (…, n) of cases that are given them.

    A level is given `COLLAPSE` times as often as it occurs and in a tenth of all cases more, or in nine cases of ten.
    Without the tenth, a rare level would count as soon as it is called in one case of a hundred.
    """
    return ((shares >= COLLAPSE * prior) & (shares >= prior + 0.1)) | (shares > 0.9)


def _view(joint: np.ndarray) -> View:
    """From (records, seeds, n, n + 1) joint shares of gold level and answer."""
    levels = np.arange(joint.shape[2])
    distance = np.abs(levels[:, None] - levels)
    exact, by_one, wrong = (
        (joint[..., :-1] * which).sum(axis=(2, 3)) for which in (distance == 0, distance == 1, distance > 0)
    )
    return View(joint.sum(axis=2), exact, np.divide(by_one, wrong, out=np.zeros_like(wrong), where=wrong > 0))


def _check(arms: Sequence[tuple[Design, Regime]], prior: np.ndarray) -> None:
    for design, regime in arms:
        if len(design.table) != len(prior):
            raise InputError(
                f"{design.name}: it has {len(design.table)} levels, the prior has {len(prior)}; simulate designs with "
                "different numbers of levels one by one."
            )
        blind = blind_skill(prior, regime.temperature)
        if not blind < regime.skill < 1:
            raise InputError(
                f"skill = {regime.skill:g}: give a share above {blind:.3f}, which drawing blindly from the prior "
                "earns, and below 1."
            )
        if not 0 <= regime.cut < 1:
            raise InputError(f"cut = {regime.cut:g}: give a share from 0 to below 1.")
        if regime.insight and not regime.cut:
            raise InputError("insight: long thinking can pay only where lengths are simulated; give cut above 0.")
