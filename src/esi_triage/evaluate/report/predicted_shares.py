"""Predicted and observed: what audit and simulation said of each GRPO member before training, and what training did.

Audit and simulation are given this run's world: the held-out shares of the levels and the measured skill of the warm
start; the simulation the temperature of the evaluation and as many prompts as training drew, too. It stays a table of
logits: no text, no network, no Adam.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...reward import audit, load_design
from ...reward.policy import warm_start
from ...reward.simulate import Course, Regime, blind_skill, simulate
from ..measurement import Evaluation
from ..statistics.intervals import Figure, proportion

SHARED = 0.5  # half of each simulated step moves the answers to all readings alike, as a network's would
# How far a prompt moves the logits: of 0.002 to 0.3 the first training seed of v45c, v46 and v47 of the tiny base on
# NHAMCS is predicted best with 0.003 to 0.005, at the experiments' learning rate (benchmarks/simulated_step.py). At the
# lab's 0.3 they move much too far.
RATE = 0.005
SEEDS = 20
QUANTITIES = ("esi_1", "hedge", "no_answer", "exact")
Band = tuple[float, float, float]  # mean over seeds, and where 95 % of single seeds lie


@dataclass(frozen=True, slots=True)
class SharePrediction:
    """One member: the verdict of its audit, and by quantity simulated, measured, and on the card.

    `by_level` are the simulated shares of levels 1 to 5 and of no answer, and `followed` those to which the audit
    follows GRPO's mean update.
    """

    member: str
    verdict: str
    simulated: dict[str, Band]
    measured: dict[str, Figure]
    card: dict[str, Figure]
    by_level: list[Band]
    followed: list[float]

    def differs(self, quantity: str) -> bool:
        """Whether the measured interval and the simulated band have nothing in common."""
        _, low, high = self.simulated[quantity]
        here = self.measured[quantity]
        return here["low"] is not None and here["high"] is not None and (here["low"] > high or here["high"] < low)


def predict_shares(
    rewards: Mapping[str, Sequence[tuple[str, int]]],
    results: Mapping[str, Evaluation],
    card: Mapping[str, Mapping[str, Any]],
    start: str,
    temperature: float,
) -> list[SharePrediction]:
    """Audit and simulate each member of `rewards`: by name its designs in turn, with prompts.

    `start` names the warm start in `results`, whose answers were drawn at `temperature`. Only designs of a
    chain that is the same throughout can be simulated (v47 goes on with v46's), so the prompts are added up.
    """
    gold = np.bincount(results[start].gold, minlength=6)[1:]
    prior, skill = gold / gold.sum(), results[start].metrics["exact"]["value"]
    prior = np.maximum(prior, 1e-3) / np.maximum(prior, 1e-3).sum()  # a level that nobody has cannot be simulated
    skill = min(max(skill, blind_skill(prior, temperature) + 0.02), 0.98)
    regime = Regime(skill=skill, temperature=temperature, shared=SHARED, rate=RATE)
    found = []
    for member, chain in rewards.items():
        design = load_design(chain[-1][0])
        prompts = sum(n for name, n in chain if load_design(name).table == design.table)
        (course,) = simulate([(design, regime)], prior, steps=prompts, seeds=SEEDS, every=prompts)
        audited, shares = audit(design, prior, warm_start(prior, regime.skill)), course.deployment.shares
        found.append(
            SharePrediction(
                member,
                audited.verdict,
                _simulated(course),
                _measured(results[member]),
                _by_card(card.get(member, {})),
                by_level=[_band(share) for share in shares[-1].T],
                followed=list(audited.measured["collapse"]["shares_after"].values()),
            )
        )
    return found


def _simulated(course: Course) -> dict[str, Band]:
    end = course.deployment
    values = (end.shares[-1, :, 0], end.hedge[-1], end.shares[-1, :, -1], end.exact[-1])
    return {name: _band(value) for name, value in zip(QUANTITIES, values, strict=True)}


def _band(values: np.ndarray) -> Band:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(values.mean()), float(low), float(high)


def _measured(result: Evaluation) -> dict[str, Figure]:
    pairs = list(zip(result.gold, result.predicted, strict=True))
    wrong = [abs(g - p) for g, p in pairs if p is not None and p != g]
    return {
        "esi_1": proportion(sum(p == 1 for _, p in pairs), len(pairs)),
        "hedge": proportion(wrong.count(1), len(wrong)),
        "no_answer": proportion(sum(p is None for _, p in pairs), len(pairs)),
        "exact": proportion(sum(p == g for g, p in pairs), len(pairs)),
    }


def _by_card(row: Mapping[str, Any]) -> dict[str, Figure]:
    found = {name: row[key] for name, key in (("no_answer", "no_parse"), ("exact", "exact")) if key in row}
    if {"exact", "within_one", "no_parse"} <= row.keys():
        n = row["exact"]["n"]
        exact, near, unanswered = (round(row[key]["value"] * n) for key in ("exact", "within_one", "no_parse"))
        found["hedge"] = proportion(near - exact, n - exact - unanswered)
    return found
