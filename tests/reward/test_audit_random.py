"""The exact checks against brute force, on random tables of two to seven levels."""

import json
from collections.abc import Iterator
from itertools import combinations, product
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from esi_triage.answer import Answer
from esi_triage.reward import Design, audit, score
from esi_triage.reward.audit.beliefs import best_acts, misfits
from esi_triage.reward.audit.costless import costless
from esi_triage.reward.audit.drift import drift
from esi_triage.reward.audit.game import silence_margin
from esi_triage.reward.audit.groups import expected_advantages, no_signal
from esi_triage.reward.audit.hedging import hedging
from esi_triage.reward.audit.lazy import lazy
from esi_triage.reward.audit.order import order
from esi_triage.reward.audit.setting import Setting
from esi_triage.reward.audit.silence import silence
from esi_triage.reward.audit.text import as_text

CELL = st.integers(-12, 12).map(lambda quarter: quarter / 4)  # coarse, so that ties are common
brute = settings(max_examples=40, deadline=None)


def shares(draw: st.DrawFn, n: int, least: int = 0) -> np.ndarray:
    weights = np.array(draw(st.lists(st.integers(least, 9), min_size=n, max_size=n)), dtype=float)
    weights[draw(st.integers(0, n - 1))] += 1
    return weights / weights.sum()


@st.composite
def tables(draw: st.DrawFn, most: int = 7) -> np.ndarray:
    n = draw(st.integers(2, most))
    return np.array(draw(st.lists(st.lists(CELL, min_size=n + 1, max_size=n + 1), min_size=n, max_size=n)))


@st.composite
def scenes(draw: st.DrawFn, most: int = 7) -> Setting:
    rewards = draw(tables(most))
    n = len(rewards)
    paid = st.sampled_from(["always", "parsed", "exact"])
    design = Design.model_validate(
        {
            "name": "random",
            "table": rewards[:, :n].tolist(),
            "no_parse": float(rewards[0, n]),
            "urgent": draw(st.sampled_from(["first", "last", "neither"])),
            "format_bonus": draw(st.sampled_from([0.0, 0.1, 0.5])),
            "format_paid": draw(paid),
            "length_bonus": draw(st.sampled_from([0.0, 0.3])),
            "length_paid": draw(paid),
            "oversample": {1: draw(st.integers(1, 20)), n: draw(st.integers(1, 5))},
        }
    )
    policy = np.array([shares(draw, n + 1) for _ in range(n)])
    return Setting(design, shares(draw, n, least=1), policy, 4)


def reward(setting: Setting, gold: int, act: int) -> float:
    """By the real scorer: a well-formed answer of half the length limit. `act` n is silence; both count from 0."""
    answered = act < setting.n
    answer = Answer(act + 1 if answered else None, answered, answered, "")
    return score(answer, gold + 1, setting.design, setting.design.length_limit // 2).total


def drawn(setting: Setting) -> list[float]:
    weights = [p * setting.design.oversample[level] for level, p in enumerate(setting.prior, start=1)]
    return [weight / sum(weights) for weight in weights]


@brute
@given(scenes())
def test_lazy_policies_by_summing_over_cases(setting: Setting) -> None:
    measured, findings = lazy(setting)
    acts, golds = range(setting.n + 1), range(setting.n)
    earned = [sum(drawn(setting)[g] * reward(setting, g, a) for g in golds) for a in acts]
    start = sum(drawn(setting)[g] * setting.policy[g, a] * reward(setting, g, a) for g in golds for a in acts)
    assert list(measured["training"].values())[: setting.n + 1] == pytest.approx(earned)
    assert measured["warm_start_reward"] == pytest.approx(start)
    assert measured["best_lazy_reward"] == pytest.approx(max(earned))
    if abs(max(earned) - start) > 1e-6:
        assert any(finding.severity == "error" for finding in findings) == (max(earned) > start)


@brute
@given(scenes())
def test_costless_acts_by_going_through_the_cells(setting: Setting) -> None:
    measured, findings = costless(setting)
    golds = range(setting.n)
    pay = {(g, a): max(reward(setting, g, a), setting.design.table[g][a]) for g in golds for a in golds if a != g}
    free = [cell for cell, value in pay.items() if value >= 0]
    assert measured["free_cells"] == len(free)
    never = [setting.act(a) for a in golds if all((g, a) in free for g in golds if g != a)]
    assert measured["never_punished"] == never
    constants = {setting.act(a): sum(drawn(setting)[g] * reward(setting, g, a) for g in golds) for a in golds}
    errors = [finding for finding in findings if finding.severity == "error"]
    assert bool(errors) == any(constants[name] >= max(constants.values()) - 1e-9 for name in never)
    assert any(finding.severity == "warning" for finding in findings) == bool(free)


def beliefs(n: int, seed: int = 0) -> np.ndarray:
    """Corners, edges' middles and random points of the simplex."""
    middles = [(np.eye(n)[i] + np.eye(n)[j]) / 2 for i, j in combinations(range(n), 2)]
    rng = np.random.default_rng(seed)
    return np.vstack([np.eye(n), middles, rng.dirichlet(np.ones(n), 500), rng.dirichlet(np.full(n, 0.3), 500)])


@brute
@given(tables())
def test_no_belief_brings_silence_further_ahead(rewards: np.ndarray) -> None:
    n = len(rewards)
    margin, belief = silence_margin(rewards)
    assert belief.sum() == pytest.approx(1)
    assert belief.min() >= -1e-9
    assert belief @ rewards[:, n] - (belief @ rewards[:, :n]).max() == pytest.approx(margin, abs=1e-7)
    many = beliefs(n)
    assert (many @ rewards[:, n] - (many @ rewards[:, :n]).max(axis=1)).max() <= margin + 1e-7


@settings(max_examples=150, deadline=None)
@given(tables())
def test_the_margin_of_silence_is_that_of_scipy_s_linear_program(rewards: np.ndarray) -> None:
    """Variables: the belief and the margin m; belief · (silence - answer) >= m for every answer."""
    n = len(rewards)
    solved = linprog(
        c=[0.0] * n + [-1.0],
        A_ub=np.column_stack([(rewards[:, :n] - rewards[:, n:]).T, np.ones(n)]),
        b_ub=np.zeros(n),
        A_eq=[[1.0] * n + [0.0]],
        b_eq=[1.0],
        bounds=[(0, None)] * n + [(None, None)],
    )
    assert silence_margin(rewards)[0] == pytest.approx(solved.x[n], abs=1e-7)


@brute
@given(scenes())
def test_silence_by_going_through_the_cells(setting: Setting) -> None:
    measured, _ = silence(setting)
    golds = range(setting.n)
    outranked = [
        [setting.act(g), setting.act(a)]
        for g in golds
        for a in golds
        if a != g and reward(setting, g, setting.n) > reward(setting, g, a)
    ]
    assert measured["outranked"] == outranked
    skill = measured["answering_pays_above_skill"]
    right = sum(drawn(setting)[g] * reward(setting, g, g) for g in golds)
    amiss = sum(drawn(setting)[g] * setting.errors[g, a] * reward(setting, g, a) for g in golds for a in golds)
    quiet = sum(drawn(setting)[g] * reward(setting, g, setting.n) for g in golds)
    if skill is None:
        assert max(right, amiss) < quiet
    else:
        assert skill * right + (1 - skill) * amiss >= quiet - 1e-9
        assert skill == 0 or (skill - 0.01) * right + (1.01 - skill) * amiss <= quiet + 1e-9


@brute
@given(tables())
def test_regions_of_two_level_beliefs_against_a_dense_grid(rewards: np.ndarray) -> None:
    n, grid = len(rewards), np.linspace(0, 1, 2002)[1:-1]
    grid = grid[np.abs(grid - 0.5) > 1e-6]
    regions = misfits(rewards, 2)
    for low, high in combinations(range(n), 2):
        points = np.zeros((len(grid), n))
        points[:, low], points[:, high] = grid, 1 - grid
        value = points @ rewards
        likely = np.where(grid > 0.5, low, high)
        shifted = value.max(axis=1) - value[np.arange(len(grid)), likely] > 1e-9
        share = sum(region.share for region in regions if region.levels == (low, high))
        assert share == pytest.approx(shifted.mean(), abs=0.003)


@settings(max_examples=25, deadline=None)
@given(tables(most=5))
def test_regions_of_three_level_beliefs_against_a_dense_grid(rewards: np.ndarray) -> None:
    n = len(rewards)
    if n < 3:
        return
    cuts = (np.array(list(product(range(150), repeat=2))) + 1 / 3) / 150
    inside = cuts[cuts.sum(axis=1) < 1]
    found = misfits(rewards, 3)
    for levels in combinations(range(n), 3):
        points = np.zeros((len(inside), n))
        points[:, list(levels)] = np.column_stack([inside, 1 - inside.sum(axis=1)])
        value, likely = points @ rewards, points.argmax(axis=1)
        shifted = value.max(axis=1) - value[np.arange(len(points)), likely] > 1e-9
        regions = [region for region in found if region.levels == levels]
        assert sum(region.share for region in regions) == pytest.approx(shifted.mean(), abs=0.02)
        for region in regions:  # inside each region its act is best and its level the most probable
            centre = np.zeros(n)
            centre[list(levels)] = region.corners.mean(axis=0)
            assert (centre @ rewards)[region.act] >= (centre @ rewards).max() - 1e-9
            assert centre[region.likely] >= centre.max() - 1e-9


@brute
@given(tables())
def test_best_acts_have_the_highest_expected_reward(rewards: np.ndarray) -> None:
    many = beliefs(len(rewards))
    value, acts = many @ rewards, best_acts(rewards, many)
    assert value[np.arange(len(many)), acts] == pytest.approx(value.max(axis=1), abs=1e-8)


@brute
@given(scenes())
def test_held_beliefs_and_exchange_rates_by_their_definitions(setting: Setting) -> None:
    measured, _ = hedging(setting)
    golds, acts = range(setting.n), range(setting.n + 1)
    for row in measured["held"]:
        said = [
            1.0 if not row["answer"] else setting.policy[g][[setting.act(a) for a in acts].index(row["answer"])]
            for g in golds
        ]
        joint = [drawn(setting)[g] * said[g] for g in golds]
        assert row["how_often"] == pytest.approx(sum(joint))
        expected = {setting.act(a): sum(joint[g] * reward(setting, g, a) for g in golds) for a in acts}
        assert expected[row["best_act"]] == pytest.approx(max(expected.values()))
        assert row["belief"][row["most_probable"]] == pytest.approx(max(joint) / sum(joint))
    for name, rate in measured["exchange_rates"].items():
        if rate is not None and rate > 0:
            grave, mild = ([setting.act(g) for g in golds].index(part) for part in name.split("/"))
            p = 1 / (1 + rate)  # there the two answers are worth the same
            worth = [p * reward(setting, grave, a) + (1 - p) * reward(setting, mild, a) for a in (grave, mild)]
            assert worth[0] == pytest.approx(worth[1], abs=1e-9)


@brute
@given(scenes())
def test_order_by_comparing_every_pair_of_cells(setting: Setting) -> None:
    measured, _ = order(setting)
    table, golds = setting.design.table, range(setting.n)
    assert bool(measured["not_best"]) == any(table[g][a] >= table[g][g] for g in golds for a in golds if a != g)
    same_side = [
        (g, near, far)
        for g in golds
        for near in golds
        for far in golds
        if (near - g) * (far - g) > 0 and abs(far - g) > abs(near - g)
    ]
    assert bool(measured["farther_pays_more"]) == any(table[g][far] > table[g][near] for g, near, far in same_side)
    down = {"first": 1, "last": -1, "neither": 0}[setting.design.urgent]
    mirrored = [(g, a, 2 * g - a) for g in golds for a in golds if (a - g) * down > 0 and 2 * g - a in golds]
    cheaper = [[setting.act(g), setting.act(a)] for g, a, other in mirrored if table[g][a] > table[g][other]]
    assert sorted(measured["under_triage_cheaper"]) == sorted(cheaper)


def groups_of(policy: np.ndarray, size: int) -> Iterator[tuple[tuple[int, ...], float]]:
    for answers in product(range(len(policy)), repeat=size):
        yield answers, prod(policy[a] for a in answers)


@settings(max_examples=30, deadline=None)
@given(scenes(most=4), st.integers(2, 4))
def test_advantages_by_going_through_every_group(setting: Setting, size: int) -> None:
    found = expected_advantages(setting.earned, setting.policy, setting.stream, size)
    for gold in range(setting.n):
        pay = np.array([reward(setting, gold, a) for a in range(setting.n + 1)])
        for act in range(setting.n + 1):
            scaled = centred = 0.0
            for fellows, chance in groups_of(setting.policy[gold], size - 1):
                rewards = pay[[act, *fellows]]
                centred += chance * (rewards[0] - rewards.mean())
                scaled += chance * (rewards[0] - rewards.mean()) / (rewards.std(ddof=1) + 1e-4)
            assert found["group"][gold, act] == pytest.approx(scaled, abs=1e-6)
            assert found["none"][gold, act] == pytest.approx(centred, abs=1e-9)
        equal = sum(p for answers, p in groups_of(setting.policy[gold], size) if np.ptp(pay[list(answers)]) < 1e-9)
        assert no_signal(setting.earned[gold], setting.policy[gold], size) == pytest.approx(equal)


@brute
@given(scenes())
def test_the_batch_s_std_is_that_of_the_stream(setting: Setting) -> None:
    found = expected_advantages(setting.earned, setting.policy, setting.stream, 4)
    golds, acts = range(setting.n), range(setting.n + 1)
    weighted = [(drawn(setting)[g] * setting.policy[g, a], reward(setting, g, a)) for g in golds for a in acts]
    mean = sum(weight * pay for weight, pay in weighted)
    std = sum(weight * (pay - mean) ** 2 for weight, pay in weighted) ** 0.5
    assert found["batch"] * (std + 1e-4) == pytest.approx(found["none"], abs=1e-7)


@brute
@given(scenes())
def test_drift_by_following_each_answer(setting: Setting) -> None:
    measured, _ = drift(setting)
    golds, acts = range(setting.n), range(setting.n + 1)
    shares_after = {setting.act(a): 0.0 for a in acts}
    for answer in acts:
        worth = [
            sum(drawn(setting)[g] * setting.policy[g, answer] * reward(setting, g, a) for g in golds) for a in acts
        ]
        best = sorted(worth)[-2:]
        if best[1] - best[0] < 1e-7:
            return  # a tie: either act is right
        shares_after[setting.act(int(np.argmax(worth)))] += sum(
            setting.prior[g] * setting.policy[g, answer] for g in golds
        )
    assert measured["predicted_after"] == pytest.approx(shares_after)
    assert sum(measured["predicted_after"].values()) == pytest.approx(1)


@brute
@given(scenes())
def test_every_audit_can_be_written_as_json_and_as_text(setting: Setting) -> None:
    result = audit(setting.design, setting.prior, setting.policy, 3)
    written = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    severities = [finding["severity"] for finding in written["findings"]]
    worst = next((severity for severity in ("error", "warning", "note") if severity in severities), "clean")
    assert written["verdict"] == worst
    assert as_text(result).startswith(f"random: {worst.upper()} (")
