"""The simulation: its update against a plain loop, its expectations against sampling, and what designs do in it."""

import json
import math
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from esi_triage.cli.reward.simulate import simulate_designs
from esi_triage.errors import InputError
from esi_triage.reward.design import Design, design_names, load_design
from esi_triage.reward.policy import read_prior
from esi_triage.reward.simulate import Course, Regime, View, collapsed, simulate
from esi_triage.reward.simulate.acuity_readings import (
    belief,
    blind_skill,
    blur_of,
    level_points,
    likelihood,
    sharpened,
)
from esi_triage.reward.simulate.learner import DOUBLING, SPREAD, TOKEN_LIMIT, Learners
from esi_triage.reward.simulate.training_course import GROUP

SEARCH = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "ingredients.py"))
Trial = SEARCH["Trial"]
MIMIC = read_prior("mimic-iv-ed", 5)
NETWORK = Regime(shared=0.5)


def grades(n: int, off: float = -0.5) -> Design:
    """+1 for the exact grade of n, `off` for every other, -1 for none."""
    table = tuple(tuple(1.0 if p == g else off for p in range(n)) for g in range(n))
    return Design(name=f"{n} grades", table=table, no_parse=-1.0)  # pyright: ignore[reportCallIssue]


def test_each_step_away_from_the_gold_level_is_less_likely_by_the_same_factor() -> None:
    seen = likelihood(3, blur=0.5)
    assert seen.sum(axis=1) == pytest.approx(1)
    at = level_points(3)
    assert seen[1, at[1]] / seen[1, at[2]] == pytest.approx(math.exp(1 / 0.5))
    assert seen[0, at[0]] / seen[0, at[2]] == pytest.approx(math.exp(2 / 0.5))


@pytest.mark.parametrize("prior", [MIMIC, np.full(3, 1 / 3), np.array([0.9, 0.1])])
@pytest.mark.parametrize("skill", [0.83, 0.9, 0.99])
def test_an_imitator_of_labels_has_the_skill_asked_for(prior: np.ndarray, skill: float) -> None:
    seen = likelihood(len(prior), blur_of(skill, prior))
    policy = belief(seen, prior)  # (m, n)
    assert sum(prior[g] * seen[g] @ policy[:, g] for g in range(len(prior))) == pytest.approx(skill, abs=1e-6)


@pytest.mark.parametrize("prior", [MIMIC, np.full(3, 1 / 3)])
@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.0])
def test_a_policy_has_the_skill_asked_for_at_the_temperature_at_which_it_is_measured(
    prior: np.ndarray, temperature: float
) -> None:
    seen = likelihood(len(prior), blur_of(0.8, prior, temperature))
    policy = sharpened(belief(seen, prior), temperature)
    assert sum(prior[g] * seen[g] @ policy[:, g] for g in range(len(prior))) == pytest.approx(0.8, abs=1e-6)


def test_sharpened_is_softmax_of_logits_over_the_temperature() -> None:
    chances = np.array([[0.5, 0.3, 0.2], [1.0, 0.0, 0.0]])
    squared = chances**2
    assert sharpened(chances, 0.5) == pytest.approx(squared / squared.sum(axis=1, keepdims=True))
    assert sharpened(chances, 1.0) == pytest.approx(chances)
    assert sharpened(chances, 0.01)[0] == pytest.approx([1, 0, 0], abs=1e-9)
    assert blind_skill(MIMIC) == pytest.approx((MIMIC**2).sum())
    assert blind_skill(MIMIC, 0.01) == pytest.approx(MIMIC.max())


def slow_steps(design: Design, regime: Regime, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logits and lengths of one policy after `draws` (steps, 2 + 3g), one rollout at a time, as TRL computes it."""
    start = Learners([(design, regime)], MIMIC, 1)
    logits, length = start.logits[0, 0].copy(), start.length[0, 0].copy()

    def pick(chances: np.ndarray, u: float) -> int:
        return next((i for i, edge in enumerate(np.cumsum(chances)) if u <= edge), len(chances) - 1)

    for row in draws:
        gold = pick(start.training[0], row[0])
        reading = pick(start.seen[0, gold], row[1])
        rewards, grads = [], []
        for i in range(GROUP):
            noise = row[2 + GROUP + i]
            size = length[reading] + math.log(noise / (1 - noise))
            at = reading
            if regime.cut and size > -DOUBLING and row[2 + 2 * GROUP + i] < regime.insight:
                at = level_points(5)[gold]
            chances = np.exp(logits[at]) / np.exp(logits[at]).sum()
            answer = pick(chances, row[2 + i])
            cut = bool(regime.cut) and size > 0
            tokens = round(TOKEN_LIMIT * math.exp(size * SPREAD), 9) if regime.cut else design.length_limit / 2
            outcome = "no answer" if cut or answer == 5 else "exact" if answer == gold else "wrong"
            earned = design.no_parse if outcome == "no answer" else design.table[gold][answer]
            rewards.append(earned + design.bonus(outcome, tokens))  # pyright: ignore[reportArgumentType]
            grads.append((at, np.zeros(6) if cut else np.eye(6)[answer] - chances, 2 * noise - 1))
        mean, std = np.mean(rewards), np.std(rewards, ddof=1)
        for reward, (at, grad, longer) in zip(rewards, grads, strict=True):
            step = regime.rate * (reward - mean) / (std + 1e-4 if regime.by_spread else 1) / GROUP
            logits[at] += (1 - regime.shared) * step * grad
            logits += regime.shared * step * grad
            if regime.cut:
                length[reading] += (1 - regime.shared) * step * longer
                length += regime.shared * step * longer
    return logits, length


REGIMES = [
    Regime(),
    Regime(shared=0.5),
    Regime(shared=0.3, cut=0.5, insight=0.6),
    Regime(cut=0.9, by_spread=False, oversampled=False, skill=0.5),
]


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("name", ["v45c", "v46"])
def test_the_update_is_grpo_s(name: str, regime: Regime) -> None:
    """Beside another arm, against the slow loop."""
    arms = [(load_design("v48"), Regime(skill=0.8)), (load_design(name), regime)]
    draws = np.random.default_rng(3).random((40, 2 + 3 * GROUP))
    fast = Learners(arms, MIMIC, 1)
    for row in draws:
        fast.learn(row[None])
    logits, length = slow_steps(*arms[1], draws)
    assert fast.logits[1, 0] == pytest.approx(logits, abs=1e-9)
    assert fast.length[1, 0] == pytest.approx(length, abs=1e-9)


@pytest.mark.parametrize("slack", [0.0, DOUBLING])
def test_expectations_are_what_sampling_gives(slack: float) -> None:
    learners = Learners([(load_design("v46"), Regime(cut=0.6, insight=0.5))], MIMIC, 1)
    joint = learners.joint(learners.deployment, slack)[0, 0]
    rng, n = np.random.default_rng(1), 200_000
    gold = rng.choice(5, size=n, p=MIMIC)
    reading = np.array(
        [rng.choice(learners.seen.shape[2], p=learners.seen[0, g]) for g in range(5) for _ in range(1000)]
    )
    reading = reading.reshape(5, 1000)[gold, rng.integers(0, 1000, n)]
    noise = rng.random(n)
    size = learners.length[0, 0, reading] + np.log(noise / (1 - noise))
    row = np.where((size > -DOUBLING) & (rng.random(n) < 0.5), level_points(5)[gold], reading)
    chances = np.exp(learners.logits[0, 0])[row]
    answer = (rng.random(n)[:, None] > (chances / chances.sum(1, keepdims=True)).cumsum(1)[:, :-1]).sum(1)
    answer = np.where(size > slack, 5, answer)
    sampled = np.zeros((5, 6))
    np.add.at(sampled, (gold, answer), 1 / n)
    assert joint.sum(axis=1) == pytest.approx(MIMIC)
    assert joint == pytest.approx(sampled, abs=0.01)


def test_a_seed_is_the_same_whatever_else_is_simulated() -> None:
    v46, v48 = load_design("v46"), load_design("v48")
    alone = simulate([(v46, Regime())], MIMIC, steps=30, seeds=2)[0]
    among = simulate([(v48, NETWORK), (v46, Regime())], MIMIC, steps=60, seeds=5, every=30)[1]
    assert list(among.steps) == [0, 30, 60]
    assert np.array_equal(alone.deployment.shares[30], among.deployment.shares[1][:2])
    assert not np.array_equal(among.deployment.shares[1][0], among.deployment.shares[1][1])


def test_hedging_and_exactness_are_read_off_the_joint_shares() -> None:
    arm = (load_design("v46"), Regime(cut=0.6))
    course = simulate([arm], MIMIC, steps=1, seeds=2)[0]
    learners = Learners([arm], MIMIC, 1)
    joint = learners.joint(learners.deployment, DOUBLING)[0, 0]  # twice the token limit
    exact = sum(joint[g, g] for g in range(5))
    by_one = sum(joint[g, p] for g in range(5) for p in range(5) if abs(g - p) == 1)
    assert course.deployment.exact[0] == pytest.approx(exact)
    assert course.deployment.hedge[0] == pytest.approx(by_one / (1 - exact - joint[:, 5].sum()))
    assert course.training.shares[0, 0] == pytest.approx(learners.joint(learners.training, 0)[0, 0].sum(axis=0))


def course_of(shares: list[list[float]], exact: list[float], hedge: list[float]) -> Course:
    """A course of one seed, with made-up figures at each record."""
    view = View(np.array(shares)[:, None], np.array(exact)[:, None], np.array(hedge)[:, None])
    return Course(load_design("v46"), Regime(), MIMIC, np.arange(len(exact)), view, view)


USUAL = [0.06, 0.33, 0.52, 0.07, 0.01, 0.01]


@pytest.mark.parametrize(
    ("shares", "level"),
    [
        (USUAL, None),
        ([0.17, 0.25, 0.50, 0.07, 0.01, 0.0], None),  # ESI-1 occurs in 5.7 %
        ([0.18, 0.24, 0.50, 0.07, 0.01, 0.0], 1),
        ([0.06, 0.33, 0.50, 0.07, 0.04, 0.0], None),  # ESI-5 ten times as often, and still rare
        ([0.06, 0.33, 0.43, 0.07, 0.11, 0.0], 5),
        ([0.01, 0.07, 0.91, 0.01, 0.00, 0.0], 3),
        ([0.01, 0.08, 0.90, 0.01, 0.00, 0.0], None),
        ([0.00, 0.00, 0.00, 0.00, 0.00, 1.0], None),
    ],
)
def test_what_counts_as_a_collapse(shares: list[float], level: int | None) -> None:
    found = collapsed(course_of([shares], [0.5], [0.5]))
    assert [k + 1 for k in np.flatnonzero(found[0])] == ([] if level is None else [level])


@pytest.mark.parametrize(
    ("exact", "hedge", "abstained", "happened"),
    [
        ((0.7, 0.69), (0.8, 0.82), (0.0, 0.0), {"hedging"}),
        ((0.7, 0.6), (0.8, 0.805), (0.0, 0.0), set()),
        ((0.7, 0.695), (0.8, 0.9), (0.0, 0.0), set()),
        ((0.7, 0.7), (0.8, 0.8), (0.02, 0.1), {"abstention learned"}),
        ((0.7, 0.7), (0.8, 0.8), (0.4, 0.1), {"abstention not unlearned"}),
        ((0.7, 0.7), (0.8, 0.8), (0.02, 0.09), set()),
    ],
)
def test_what_counts_as_an_outcome(
    exact: tuple[float, ...], hedge: tuple[float, ...], abstained: tuple[float, ...], happened: set[str]
) -> None:
    shares = [[*USUAL[:5], none] for none in abstained]
    found = SEARCH["_trial"](frozenset(), course_of(shares, list(exact), list(hedge)), 0, 1)
    assert {outcome for outcome, share in found.happened.items() if share} == happened


def test_v45c_collapses_into_level_1_where_parameters_are_shared_and_cases_oversampled() -> None:
    arms = [(load_design("v45c"), regime) for regime in (NETWORK, Regime(), Regime(shared=0.5, oversampled=False))]
    network, table, natural = simulate(arms, MIMIC, seeds=20, every=750)
    assert network.deployment.shares[-1, :, 0].mean() >= 3 * MIMIC[0]
    assert collapsed(network)[:, 0].mean() >= 0.9
    assert not collapsed(network)[:, 1:].any()
    assert not collapsed(table).any()
    assert not collapsed(natural).any()


@pytest.mark.parametrize("name", [name for name in design_names() if name != "v45c"])
def test_no_other_design_collapses_in_any_seed(name: str) -> None:
    for course in simulate([(load_design(name), NETWORK), (load_design(name), Regime())], MIMIC, seeds=20, every=750):
        assert not collapsed(course).any()
        assert (course.deployment.exact[-1] > course.deployment.exact[0]).all()


@pytest.mark.parametrize("cut", [0.0, 0.9])
def test_v48_does_not_learn_abstention_in_any_seed(cut: float) -> None:
    course = simulate([(load_design("v48"), Regime(shared=0.5, cut=cut))], MIMIC, seeds=20, every=750)[0]
    abstained = course.deployment.shares[:, :, -1]
    assert (abstained[-1] < abstained[0]).all()
    assert (abstained[-1] < 0.02).all()


def test_abstention_is_learned_where_it_pays() -> None:
    v46 = load_design("v46")
    opts_out = v46.model_copy(update={"no_parse": 4.0})
    course = simulate([(opts_out, NETWORK)], MIMIC, steps=300, seeds=5, every=300)[0]
    assert (course.deployment.shares[-1, :, -1] > 0.9).all()
    assert not collapsed(course).any()  # into a level


def trial(*names: str, share: float) -> Any:
    return Trial(frozenset(names), {"hedging": share}, {})


def test_smallest_and_needed_ingredients() -> None:
    trials = [trial(share=0.0), trial("a", share=0.4), trial("b", share=0.1), trial("c", share=0.0)]
    trials += [trial("a", "b", share=0.5), trial("a", "c", share=1.0), trial("b", "c", share=0.49)]
    trials += [trial("a", "b", "c", share=1.0)]
    (found,) = SEARCH["causes"](trials)
    assert {one.ingredients for one in found.smallest} == {frozenset("ab"), frozenset("ac")}
    assert (found.needed, found.produced, found.tried) == (frozenset("a"), 3, 8)
    (nothing,) = SEARCH["causes"](trials[:2])
    assert (nothing.smallest, nothing.needed, nothing.produced) == ([], frozenset(), 0)


def test_every_combination_of_ingredients_is_tried_once() -> None:
    trials = SEARCH["ingredients"](load_design("v48"), MIMIC, steps=20, seeds=2)
    sets = [one.ingredients for one in trials]
    assert len(sets) == len(set(sets)) == 2 * (2**6) * 3  # bonuses: as designed, to any text, to exact answers only
    bare, full = trials[0], trials[-1]
    assert (bare.ingredients, len(full.ingredients)) == (frozenset(), 8)
    truncated = next(one for one in trials if one.ingredients == {"truncation"})
    assert truncated.means["no answer at start"] > 0.3 > bare.means["no answer at start"]
    assert truncated.happened["abstention not unlearned"] == 1.0
    weak = next(one for one in trials if one.ingredients == {"weak warm start"})
    assert weak.means["exact before"] < bare.means["exact before"] - 0.1


@settings(deadline=None, max_examples=20)
@given(
    st.integers(2, 6).flatmap(lambda n: st.lists(st.floats(-5, 5), min_size=n * n, max_size=n * n)), st.floats(-5, 5)
)
def test_any_table_of_any_size_can_be_simulated(cells: list[float], no_parse: float) -> None:
    n = math.isqrt(len(cells))
    design = Design(name="any", table=tuple(map(tuple, np.reshape(cells, (n, n)).tolist())), no_parse=no_parse)  # pyright: ignore[reportCallIssue]
    course = simulate([(design, Regime(skill=0.7, shared=0.5, cut=0.2))], np.full(n, 1 / n), steps=20, seeds=2)[0]
    assert course.deployment.shares.shape == (21, 2, n + 1)
    assert course.deployment.shares.sum(axis=2) == pytest.approx(1)


BAD = [
    (grades(5), Regime(skill=0.4), "above 0.407"),
    (grades(5), Regime(skill=1.0), "below 1"),
    (grades(5), Regime(cut=1.0), "cut = 1"),
    (grades(5), Regime(insight=0.5), "cut above 0"),
    (grades(3), Regime(), "3 levels, the prior has 5"),
]


@pytest.mark.parametrize(("design", "regime", "named"), BAD)
def test_what_cannot_be_simulated_is_said_in_one_sentence(design: Design, regime: Regime, named: str) -> None:
    with pytest.raises(InputError, match=named):
        simulate([(design, regime)], MIMIC, steps=1, seeds=2)


def run(*arguments: str) -> str:
    app = typer.Typer()
    app.command()(simulate_designs)
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_the_command_prints_a_table_and_says_what_it_is_not() -> None:
    text = run("v45c", "v46", "--steps", "300", "--seeds", "3")
    assert "not evidence about a language model" in text
    assert "v45c: 3 of 3 seeds collapsed, into ESI-1" in text
    assert "v46: no seed collapsed" in text
    rows = [line.split() for line in text.splitlines() if line.startswith(("v45c   ", "v46   "))]
    assert [row[:2] for row in rows] == [["v45c", "0"], ["v46", "0"]]
    assert max(len(line) for line in text.splitlines()) <= 120


def test_the_command_s_json_has_intervals_over_seeds() -> None:
    found = json.loads(run("v46", "--steps", "40", "--seeds", "4", "--cut", "0.5", "--table", "--format", "json"))
    (course,) = found["courses"]
    assert course["regime"] == {**course["regime"], "cut": 0.5, "shared": 0.0}
    assert [row["step"] for row in course["course"]] == list(range(0, 41, 4))
    last = course["course"][-1]["natural"]
    assert sum(share["mean"] for share in last["shares"].values()) == pytest.approx(1, abs=1e-4)
    assert last["exact"]["low"] < last["exact"]["mean"] < last["exact"]["high"]


def test_the_command_takes_grades_of_any_number_and_lists_ingredients(tmp_path: Path) -> None:
    file = tmp_path / "essay.toml"
    file.write_text(
        'name = "essay"\ntable = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]\nno_parse = 0\nlabels = ["C", "B", "A"]\n'
    )
    assert "essay: no seed collapsed" in run(str(file), "--steps", "20", "--seeds", "2")
    text = run(str(file), "--steps", "20", "--seeds", "2", "--ingredients")
    assert "384 combinations" in text
    assert "No combination that was tried" in text
    found = json.loads(run(str(file), "--steps", "20", "--seeds", "2", "--ingredients", "--format", "json"))
    assert set(found[0]["outcomes"]) >= {"collapse into C", "hedging", "abstention learned", "abstention not unlearned"}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [(["v46", "--prior", "1,1,1,1,1"], "sum to"), (["v99"], "v99")],
)
def test_bad_arguments_are_named(arguments: list[str], named: str) -> None:
    with pytest.raises(InputError, match=named):
        run(*arguments)
