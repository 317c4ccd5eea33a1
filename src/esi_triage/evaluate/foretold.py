"""What audit and simulation said of each GRPO member before training, and what training did.

The simulation is given this run's world: the held-out shares of the levels, the measured skill of the warm start, and
as many prompts as training drew. It stays a table of logits: no text, no network, no Adam.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..reward import audit, load_design
from ..reward.simulate import Course, Regime, simulate
from .evaluation import Evaluation
from .metrics import Proportion, proportion

SHARED = 0.5  # half of each simulated step moves the answers to all readings alike, as a network's would
SEEDS = 20
QUANTITIES = ("esi_1", "hedge", "no_answer", "exact")
Band = tuple[float, float, float]  # mean over seeds, and where 95 % of single seeds lie


@dataclass(frozen=True, slots=True)
class Foretold:
    """One member: the verdict of its audit, and by quantity simulated, measured, and on the card."""

    member: str
    verdict: str
    simulated: dict[str, Band]
    measured: dict[str, Proportion]
    card: dict[str, Proportion]

    def differs(self, quantity: str) -> bool:
        """Whether the measured interval and the simulated band have nothing in common."""
        _, low, high = self.simulated[quantity]
        here = self.measured[quantity]
        return here["low"] is not None and here["high"] is not None and (here["low"] > high or here["high"] < low)


def foretell(
    rewards: Mapping[str, Sequence[tuple[str, int]]],
    results: Mapping[str, Evaluation],
    card: Mapping[str, Mapping[str, Any]],
    start: str,
) -> list[Foretold]:
    """Audit and simulate each member of `rewards`: by name its designs in turn, with prompts.

    `start` names the warm start in `results`. Only designs of a chain that is the same throughout can be simulated
    (v47 goes on with v46's), so the prompts are added up.
    """
    gold = np.bincount(results[start].gold, minlength=6)[1:]
    prior, skill = gold / gold.sum(), results[start].metrics["exact"]["value"]
    prior = np.maximum(prior, 1e-3) / np.maximum(prior, 1e-3).sum()  # a level that nobody has cannot be simulated
    blind = float((prior**2).sum())
    regime = Regime(skill=min(max(skill, blind + 0.02), 0.98), shared=SHARED)
    found = []
    for member, chain in rewards.items():
        design = load_design(chain[-1][0])
        prompts = sum(n for name, n in chain if load_design(name).table == design.table)
        (course,) = simulate([(design, regime)], prior, steps=prompts, seeds=SEEDS, every=prompts)
        verdict = audit(design, prior, policy=None).verdict
        found.append(
            Foretold(member, verdict, _simulated(course), _measured(results[member]), _by_card(card.get(member, {})))
        )
    return found


def _simulated(course: Course) -> dict[str, Band]:
    end = course.natural
    values = (end.shares[-1, :, 0], end.hedge[-1], end.shares[-1, :, -1], end.exact[-1])
    return {name: _band(value) for name, value in zip(QUANTITIES, values, strict=True)}


def _band(values: np.ndarray) -> Band:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(values.mean()), float(low), float(high)


def _measured(result: Evaluation) -> dict[str, Proportion]:
    pairs = list(zip(result.gold, result.predicted, strict=True))
    wrong = [abs(g - p) for g, p in pairs if p is not None and p != g]
    return {
        "esi_1": proportion(sum(p == 1 for _, p in pairs), len(pairs)),
        "hedge": proportion(wrong.count(1), len(wrong)),
        "no_answer": proportion(sum(p is None for _, p in pairs), len(pairs)),
        "exact": proportion(sum(p == g for g, p in pairs), len(pairs)),
    }


def _by_card(row: Mapping[str, Any]) -> dict[str, Proportion]:
    found = {name: row[key] for name, key in (("no_answer", "no_parse"), ("exact", "exact")) if key in row}
    if {"exact", "within_one", "no_parse"} <= row.keys():
        n = row["exact"]["n"]
        exact, near, silent = (round(row[key]["value"] * n) for key in ("exact", "within_one", "no_parse"))
        found["hedge"] = proportion(near - exact, n - exact - silent)
    return found
