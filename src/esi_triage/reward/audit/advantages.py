"""Check 6: what GRPO sees. Only differences inside a group of answers to the same case count.

The group is G independent answers of a policy to a case of one gold level. TRL's advantage is (r - mean) / (std + 1e-4)
with the group's own mean and, by `scale_rewards`, the group's sample std, one number for all (left out), or none.
"""

from functools import cache
from itertools import combinations
from math import comb
from typing import Any

import numpy as np

from ...errors import InputError
from ..simulate.learner import EPSILON
from .finding import LESSONS, AuditFinding, Checked, listed, short_percent, signed
from .setting import Setting, skill_needed

MOST_GROUPS = 500_000


def group_advantages(setting: Setting) -> Checked:
    """The expected advantage of each (gold, answer); how often a wrong one gains; groups without signal."""
    rewards, policy, size = setting.with_bonuses, setting.policy, setting.group_size
    advantages = expected_advantages(rewards, policy, size, setting.scale == "group")
    without = np.array([no_signal(rewards[g], policy[g], size) for g in range(setting.n)])
    measured: dict[str, Any] = {
        "group_size": size,
        "without_signal": float(setting.training_prior @ without),
        "without_signal_by_gold": setting.by_action(without),
        "advantages": {setting.action(g): setting.by_action(advantages[g]) for g in range(setting.n)},
        "reinforced_below_skill": {setting.action(gold): _below(setting, gold) for gold in range(setting.n)},
        "wrong_positive": positive_when_wrong(setting, policy),
        "wrong_reinforced": _reinforced(setting, advantages),
    }
    return Checked(measured, _findings(measured))


def expected_advantages(rewards: np.ndarray, policy: np.ndarray, group_size: int, by_spread: bool) -> np.ndarray:
    """(n, n + 1): the expected advantage of an answer whose G - 1 fellows are drawn from `policy`.

    `rewards` and `policy` are (n, n + 1). Exact by enumeration of the fellows' counts.
    """
    if not by_spread:
        return (rewards - (policy * rewards).sum(axis=1, keepdims=True)) * (1 - 1 / group_size)
    return np.array([_scaled(row, shares, group_size) for row, shares in zip(rewards, policy, strict=True)])


def positive_when_wrong(setting: Setting, policy: np.ndarray) -> dict[str, float]:
    """By gold level: how many of the policy's answers that are wrong, or none, get a positive advantage. Exact.

    `policy` is (n, n + 1). 0 where it is never wrong.
    """
    found = {}
    for gold in range(setting.n):
        wrong = np.where(np.arange(setting.n + 1) == gold, 0.0, policy[gold])
        chances = _above_mean(setting.with_bonuses[gold], policy[gold], setting.group_size)
        found[setting.action(gold)] = float(wrong @ chances / wrong.sum()) if wrong.sum() > 0 else 0.0
    return found


def no_signal(rewards: np.ndarray, shares: np.ndarray, group_size: int) -> float:
    """P(all G rewards are equal) for one gold level: rewards and P(answer), both (n + 1,)."""
    _, together = _distinct(rewards, shares)
    return float((together**group_size).sum())


def _distinct(rewards: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different rewards that occur, and the probability of each: answers that pay the same are one outcome."""
    values, index = np.unique(np.round(rewards, 12), return_inverse=True)
    together = np.bincount(index, weights=shares, minlength=len(values))
    return values[together > 0], together[together > 0]


def _fellows(rewards: np.ndarray, shares: np.ndarray, group_size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The values that occur (v,), the counts of each among the fellows (k, v), and the probability of each row (k,)."""
    values, chances = _distinct(rewards, shares)
    counts = _compositions(group_size - 1, len(values))
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, group_size)))])
    ways = log_factorial[-1] - log_factorial[counts].sum(axis=1)  # log: in which each row's counts can fall
    return values, counts, np.exp(ways + counts @ np.log(chances))


def _above_mean(rewards: np.ndarray, shares: np.ndarray, group_size: int) -> np.ndarray:
    """(n + 1,): P(an answer pays more than the mean of its group)."""
    values, counts, weight = _fellows(rewards, shares, group_size)
    means = (counts @ values + rewards[:, None]) / group_size  # (n + 1, k)
    return (rewards[:, None] > means + 1e-9) @ weight


def _scaled(rewards: np.ndarray, shares: np.ndarray, group_size: int) -> np.ndarray:
    """(n + 1,): E[(r - mean) / (std + 1e-4)] for each answer, over the fellows' multinomial counts."""
    values, counts, weight = _fellows(rewards, shares, group_size)
    total = counts @ values  # (k,)
    expected = np.empty(len(rewards))
    for i, reward in enumerate(rewards):
        mean = (total + reward) / group_size
        # the sum of squares about the mean, written so that equal rewards give exactly zero
        spread = (counts * (values - mean[:, None]) ** 2).sum(axis=1) + (reward - mean) ** 2
        expected[i] = weight @ ((reward - mean) / (np.sqrt(spread / (group_size - 1)) + EPSILON))
    return expected


@cache
def _compositions(total: int, parts: int) -> np.ndarray:
    """(k, parts): all ways to write `total` as a sum of `parts` whole numbers."""
    ways = comb(total + parts - 1, parts - 1)
    if ways > MOST_GROUPS:
        raise InputError(f"--group-size {total + 1}: too many groups to go through exactly; give a smaller one.")
    bars = np.array(list(combinations(range(total + parts - 1), parts - 1)), dtype=int).reshape(ways, parts - 1)
    fence = np.column_stack([np.full(ways, -1), bars, np.full(ways, total + parts - 1)])
    return np.diff(fence, axis=1) - 1


def _below(setting: Setting, gold: int) -> dict[str, float]:
    """The share of exact answers to this level under which each other action beats the group's mean (no scaling)."""
    row = setting.with_bonuses[gold]
    wrong, right = float(setting.errors[gold] @ row[: setting.n]), float(row[gold])
    needed = {a: skill_needed(float(row[a]), right, wrong) for a in range(setting.n + 1) if a != gold}
    return {setting.action(action): 1.0 if skill is None else skill for action, skill in needed.items()}


def _reinforced(setting: Setting, advantages: np.ndarray) -> list[dict[str, Any]]:
    """Wrong answers, and abstention, with a positive expected advantage; the largest first."""
    off = np.arange(setting.n + 1) != np.arange(setting.n)[:, None]
    found = [
        {"gold": setting.action(g), "answer": setting.action(a), "advantage": float(advantages[g, a])}
        for g, a in np.argwhere(off & (advantages > 1e-9))
    ]
    return sorted(found, key=lambda row: -row["advantage"])


def _findings(measured: dict[str, Any]) -> list[AuditFinding]:
    findings = []
    if found := measured["wrong_reinforced"]:
        named = [f"{row['gold']} called {row['answer']} ({signed(row['advantage'])})" for row in found]
        message = f"GRPO reinforces wrong answers of the warm start: expected advantage {listed(named)}."
        numbers = {"cells": len(found), "wrong_reinforced": found}
        findings.append(AuditFinding("groups", "warning", message, numbers, LESSONS["groups"]))
    if measured["without_signal"] >= 0.5:
        share, size = short_percent(measured["without_signal"]), measured["group_size"]
        message = f"{share} of the groups of {size} have equal rewards and teach nothing."
        numbers = {key: measured[key] for key in ("without_signal", "without_signal_by_gold")}
        findings.append(AuditFinding("groups", "note", message, numbers, LESSONS["groups"]))
    return findings
