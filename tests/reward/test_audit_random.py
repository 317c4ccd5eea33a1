"""The exact checks against brute force, on random tables of two to seven levels."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from esi_triage.answer import Answer
from esi_triage.cli.reward.audit_text import audit_as_text
from esi_triage.reward import Design, audit, score
from esi_triage.reward.audit.abstention import abstention
from esi_triage.reward.audit.advantages import expected_advantages, no_signal, positive_when_wrong
from esi_triage.reward.audit.beliefs import abstention_margin, best_actions, misfits
from esi_triage.reward.audit.constant_policies import constant_policies
from esi_triage.reward.audit.hedging import hedging
from esi_triage.reward.audit.order import order
from esi_triage.reward.audit.prior_shift import prior_shift
from esi_triage.reward.audit.setting import Setting

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
    return Setting(design, shares(draw, n, least=1), policy, 4, draw(st.sampled_from(["group", "none"])))


def reward(setting: Setting, gold: int, action: int) -> float:
    """By the real scorer: a well-formed answer of half the length limit. `action` n is no answer; both from 0.

    Less what the exact answer earns, in units of the row: its spread under the warm start, if advantages are scaled.
    """
    row = [_scored(setting, gold, a) for a in range(setting.n + 1)]
    mean = sum(p * r for p, r in zip(setting.policy[gold], row, strict=True))
    spread = sum(p * (r - mean) ** 2 for p, r in zip(setting.policy[gold], row, strict=True)) ** 0.5
    if setting.scale == "none" or np.ptp(row) < 1e-9:
        spread = 1.0
    elif spread < 1e-9:
        spread = float(np.std(row))
    return (row[action] - row[gold]) / spread


def _scored(setting: Setting, gold: int, action: int) -> float:
    answered = action < setting.n
    answer = Answer(action + 1 if answered else None, answered, answered, "")
    return score(answer, gold + 1, setting.design, setting.design.length_limit // 2).total


def drawn(setting: Setting) -> list[float]:
    weights = [p * setting.design.oversample[level] for level, p in enumerate(setting.prior, start=1)]
    return [weight / sum(weights) for weight in weights]


@brute
@given(scenes())
def test_constant_policies_by_summing_over_cases(setting: Setting) -> None:
    measured, findings = constant_policies(setting)
    actions, golds = range(setting.n + 1), range(setting.n)
    earned = [sum(drawn(setting)[g] * reward(setting, g, a) for g in golds) for a in actions]
    start = sum(drawn(setting)[g] * setting.policy[g, a] * reward(setting, g, a) for g in golds for a in actions)
    assert list(measured["training"].values())[: setting.n + 1] == pytest.approx(earned, abs=1e-7)
    assert measured["warm_start_reward"] == pytest.approx(start, abs=1e-7)
    assert measured["best_lazy_reward"] == pytest.approx(max(earned), abs=1e-7)
    if abs(max(earned) - start) > 1e-6:
        assert any(finding.severity == "warning" for finding in findings) == (max(earned) > start)


def beliefs(n: int, seed: int = 0) -> np.ndarray:
    """Corners, edges' middles and random points of the simplex."""
    middles = [(np.eye(n)[i] + np.eye(n)[j]) / 2 for i, j in combinations(range(n), 2)]
    rng = np.random.default_rng(seed)
    return np.vstack([np.eye(n), middles, rng.dirichlet(np.ones(n), 500), rng.dirichlet(np.full(n, 0.3), 500)])


@brute
@given(tables())
def test_no_belief_brings_abstention_further_ahead(rewards: np.ndarray) -> None:
    n = len(rewards)
    margin, belief = abstention_margin(rewards)
    assert belief.sum() == pytest.approx(1)
    assert belief.min() >= -1e-9
    assert belief @ rewards[:, n] - (belief @ rewards[:, :n]).max() == pytest.approx(margin, abs=1e-7)
    many = beliefs(n)
    assert (many @ rewards[:, n] - (many @ rewards[:, :n]).max(axis=1)).max() <= margin + 1e-7


@settings(max_examples=150, deadline=None)
@given(tables())
def test_the_margin_of_abstention_is_that_of_scipy_s_linear_program(rewards: np.ndarray) -> None:
    """Variables: the belief and the margin m; belief · (abstention - answer) >= m for every answer."""
    n = len(rewards)
    solved = linprog(
        c=[0.0] * n + [-1.0],
        A_ub=np.column_stack([(rewards[:, :n] - rewards[:, n:]).T, np.ones(n)]),
        b_ub=np.zeros(n),
        A_eq=[[1.0] * n + [0.0]],
        b_eq=[1.0],
        bounds=[(0, None)] * n + [(None, None)],
    )
    assert abstention_margin(rewards)[0] == pytest.approx(solved.x[n], abs=1e-7)


@brute
@given(scenes())
def test_abstention_by_going_through_the_cells(setting: Setting) -> None:
    measured, _ = abstention(setting)
    golds = range(setting.n)
    outranked = [
        [setting.action(g), setting.action(a)]
        for g in golds
        for a in golds
        if a != g and reward(setting, g, setting.n) > reward(setting, g, a) + 1e-9
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
    regions = misfits(rewards)
    for low, high in combinations(range(n), 2):
        points = np.zeros((len(grid), n))
        points[:, low], points[:, high] = grid, 1 - grid
        value = points @ rewards
        likely = np.where(grid > 0.5, low, high)
        shifted = value.max(axis=1) - value[np.arange(len(grid)), likely] > 1e-9
        share = sum(region.share for region in regions if region.levels == (low, high))
        assert share == pytest.approx(shifted.mean(), abs=0.005)


@brute
@given(tables())
def test_best_actions_have_the_highest_expected_reward(rewards: np.ndarray) -> None:
    many = beliefs(len(rewards))
    value, actions = many @ rewards, best_actions(rewards, many)
    assert value[np.arange(len(many)), actions] == pytest.approx(value.max(axis=1), abs=1e-8)


@brute
@given(scenes())
def test_held_beliefs_and_exchange_rates_by_their_definitions(setting: Setting) -> None:
    measured, _ = hedging(setting)
    golds, actions = range(setting.n), range(setting.n + 1)
    for row in measured["held"]:
        said = [
            1.0 if not row["answer"] else setting.policy[g][[setting.action(a) for a in actions].index(row["answer"])]
            for g in golds
        ]
        joint = [drawn(setting)[g] * said[g] for g in golds]
        assert row["how_often"] == pytest.approx(sum(joint))
        expected = {setting.action(a): sum(joint[g] * reward(setting, g, a) for g in golds) for a in actions}
        assert expected[row["best_act"]] == pytest.approx(max(expected.values()))
        assert row["belief"][row["most_probable"]] == pytest.approx(max(joint) / sum(joint))
    for name, rate in measured["exchange_rates"].items():
        if rate is not None and rate > 0:
            grave, mild = ([setting.action(g) for g in golds].index(part) for part in name.split("/"))
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
    cheaper = [[setting.action(g), setting.action(a)] for g, a, other in mirrored if table[g][a] > table[g][other]]
    assert sorted(measured["under_triage_cheaper"]) == sorted(cheaper)


def groups_of(policy: np.ndarray, size: int) -> Iterator[tuple[tuple[int, ...], float]]:
    for answers in product(range(len(policy)), repeat=size):
        yield answers, prod(policy[a] for a in answers)


@settings(max_examples=30, deadline=None)
@given(scenes(most=4), st.integers(2, 4))
def test_advantages_by_going_through_every_group(setting: Setting, size: int) -> None:
    rewards = setting.with_bonuses
    found = {scale: expected_advantages(rewards, setting.policy, size, scale == "group") for scale in ("group", "none")}
    often = positive_when_wrong(replace(setting, group_size=size), setting.policy)
    for gold in range(setting.n):
        wrong = positive = 0.0
        for action in range(setting.n + 1):
            scaled = centred = above = 0.0
            for fellows, chance in groups_of(setting.policy[gold], size - 1):
                group = rewards[gold][[action, *fellows]]
                centred += chance * (group[0] - group.mean())
                scaled += chance * (group[0] - group.mean()) / (group.std(ddof=1) + 1e-4)
                above += chance * (group[0] - group.mean() > 1e-9)
            assert found["group"][gold, action] == pytest.approx(scaled, abs=1e-6)
            assert found["none"][gold, action] == pytest.approx(centred, abs=1e-9)
            wrong += setting.policy[gold, action] * (action != gold)
            positive += setting.policy[gold, action] * (action != gold) * above
        assert often[setting.action(gold)] == pytest.approx(positive / wrong if wrong else 0.0, abs=1e-9)
        pay = rewards[gold]
        equal = sum(p for answers, p in groups_of(setting.policy[gold], size) if np.ptp(pay[list(answers)]) < 1e-9)
        assert no_signal(rewards[gold], setting.policy[gold], size) == pytest.approx(equal)


@brute
@given(scenes())
def test_prior_shift_by_following_each_answer(setting: Setting) -> None:
    measured, _ = prior_shift(setting)
    golds, actions = range(setting.n), range(setting.n + 1)
    shares_after = {setting.action(a): 0.0 for a in actions}
    for answer in actions:
        worth = [
            sum(drawn(setting)[g] * setting.policy[g, answer] * reward(setting, g, a) for g in golds) for a in actions
        ]
        best = sorted(worth)[-2:]
        if best[1] - best[0] < 1e-7:
            return  # a tie: either action is right
        shares_after[setting.action(int(np.argmax(worth)))] += sum(
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
    assert audit_as_text(result).startswith(f"random: {worst.upper()} (")
