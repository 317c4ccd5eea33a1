"""Check 6: what GRPO sees. Only differences inside a group of answers to the same case count.

The group is G independent answers of the warm start to a case of one gold level. TRL's advantage is (r - mean) / (std +
1e-4) with the group's own mean and, by `scale_rewards`, the group's sample std, the batch's, or none.
"""

from functools import cache
from itertools import combinations
from math import comb
from typing import Any

import numpy as np

from ...errors import InputError
from .finding import Checked, Finding, listed, percent, signed
from .setting import Setting, skill_needed

LESSON = (
    "CoRPO (arXiv 2511.04439): a wrong answer that is better than its group's mean is reinforced although it is wrong; "
    "a group of equal rewards teaches nothing."
)
MOST_GROUPS = 500_000
EPSILON = 1e-4  # TRL's, against a division by zero


def groups(setting: Setting) -> Checked:
    """The expected advantage of each (gold, answer) under the three scalings; groups without signal."""
    advantages = expected_advantages(setting.earned, setting.policy, setting.stream, setting.group_size)
    silent = [no_signal(setting.earned[g], setting.policy[g], setting.group_size) for g in range(setting.n)]
    measured: dict[str, Any] = {
        "group_size": setting.group_size,
        "without_signal": float(setting.stream @ silent),
        "without_signal_by_gold": setting.by_act(np.array(silent)),
        "advantages": {
            scale: {setting.act(g): setting.by_act(rows[g]) for g in range(setting.n)}
            for scale, rows in advantages.items()
        },
    }
    measured["reinforced_below_skill"] = {setting.act(gold): _below(setting, gold) for gold in range(setting.n)}
    measured["wrong_reinforced"] = _reinforced(setting, advantages)
    findings = [*_wrong(measured["wrong_reinforced"]), *_no_signal(measured)]
    return Checked(measured, findings)


def expected_advantages(
    rewards: np.ndarray, policy: np.ndarray, stream: np.ndarray, group_size: int
) -> dict[str, np.ndarray]:
    """By scaling (group, batch, none): (n, n + 1), the expected advantage of an answer whose G - 1 fellows are drawn.

    `rewards` and `policy` are (n, n + 1), `stream` (n,). Exact by enumeration of the fellows' counts, but for the
    batch's std, which is taken as that of all answers on the stream: its limit for a large batch.
    """
    means = (policy * rewards).sum(axis=1)
    centred = (rewards - means[:, None]) * (1 - 1 / group_size)
    overall = stream @ means
    std = float(np.sqrt(max(0.0, stream @ (policy * (rewards - overall) ** 2).sum(axis=1))))
    scaled = [_scaled(row, shares, group_size) for row, shares in zip(rewards, policy, strict=True)]
    return {"group": np.array(scaled), "batch": centred / (std + EPSILON), "none": centred}


def no_signal(rewards: np.ndarray, shares: np.ndarray, group_size: int) -> float:
    """P(all G rewards are equal) for one gold level: rewards and P(answer), both (n + 1,)."""
    _, together = _distinct(rewards, shares)
    return float((together**group_size).sum())


def _distinct(rewards: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different rewards that occur, and the probability of each: answers that pay the same are one outcome."""
    values, index = np.unique(np.round(rewards, 12), return_inverse=True)
    together = np.bincount(index, weights=shares, minlength=len(values))
    return values[together > 0], together[together > 0]


def _scaled(rewards: np.ndarray, shares: np.ndarray, group_size: int) -> np.ndarray:
    """(n + 1,): E[(r - mean) / (std + 1e-4)] for each answer, over the fellows' multinomial counts."""
    values, chances = _distinct(rewards, shares)
    counts = _compositions(group_size - 1, len(values))  # (k, values)
    weight = _multinomial(counts, chances)
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


def _multinomial(counts: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """(k,): the probability of each row of counts."""
    total = int(counts[0].sum())
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, total + 1)))])
    return np.exp(log_factorial[total] - log_factorial[counts].sum(axis=1) + counts @ np.log(chances))


def _below(setting: Setting, gold: int) -> dict[str, float]:
    """The share of exact answers to this gold level under which each other act beats the group's mean (no scaling)."""
    row, errors = setting.earned[gold], setting.errors[gold]
    amiss = float(errors @ row[: setting.n])
    others = {setting.act(act): float(row[act]) for act in range(setting.n + 1) if act != gold}
    return {
        name: 1.0 if (skill := skill_needed(pay, float(row[gold]), amiss)) is None else skill
        for name, pay in others.items()
    }


def _reinforced(setting: Setting, advantages: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Wrong answers, and silence, with a positive expected advantage under any scaling."""
    found = []
    for gold in range(setting.n):
        for answer in range(setting.n + 1):
            gains = {scale: float(rows[gold, answer]) for scale, rows in advantages.items()}
            if answer != gold and max(gains.values()) > 1e-9:
                found.append({"gold": setting.act(gold), "answer": setting.act(answer), **gains})
    return found


def _wrong(found: list[dict[str, Any]]) -> list[Finding]:
    if not found:
        return []
    worst = sorted(found, key=lambda row: -row["group"])
    named = [f"{row['gold']} called {row['answer']} ({signed(row['group'])})" for row in worst]
    message = f"GRPO reinforces wrong answers of the warm start: expected advantage {listed(named)}."
    numbers = {"cells": len(worst), "wrong_reinforced": worst}
    return [Finding("groups", "warning", message, numbers, LESSON)]


def _no_signal(measured: dict) -> list[Finding]:
    if measured["without_signal"] < 0.5:
        return []
    message = (
        f"{percent(measured['without_signal'])} of the groups of {measured['group_size']} have equal rewards and teach "
        f"nothing."
    )
    numbers = {key: measured[key] for key in ("without_signal", "without_signal_by_gold")}
    return [Finding("groups", "note", message, numbers, LESSON)]
