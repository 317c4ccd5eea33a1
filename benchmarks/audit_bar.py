"""Does the audit's error say what simulated training does? Random designs, class factors, shares and warm starts.

python benchmarks/audit_bar.py [--designs 500] [--seed 0]

An error should be followed by a collapse into a level or by abstention in at least half of a design's simulated runs,
and no error by neither. The audit follows the mean update of the simulated policy, so this asks whether arithmetic
foresees the simulation, drawn at random; it asks nothing about a language model. Then 1,000 random tables: what
changes no advantage (a constant for all, one for each row, a factor for each row) must change no audit.
"""

import argparse

import numpy as np

from esi_triage.evaluate.statistics.intervals import proportion
from esi_triage.page import interval
from esi_triage.reward import Design, audit
from esi_triage.reward.policy import warm_start
from esi_triage.reward.simulate import SILENT, Regime, collapsed, simulate

STEPS, SEEDS, BATCH = 750, 6, 25


def random_design(rng: np.random.Generator, n: int) -> Design:
    """Exact match, near credit, a cost by distance, or an asymmetric one; with noise or without; any class factors."""
    distance = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    exact = np.ones(n) if rng.random() < 0.5 else rng.uniform(0.5, 3, n)
    under = np.where(np.arange(n)[:, None] < np.arange(n), rng.uniform(1, 3), 1)
    wrong = [
        np.zeros((n, n)),
        exact[:, None] * rng.uniform(0, 1) * np.maximum(0, 1 - distance / rng.uniform(1.5, n)),
        -rng.uniform(0.05, 1) * distance ** rng.uniform(0.5, 2),
        -rng.uniform(0.05, 1) * distance * under,
    ][rng.integers(4)]
    wrong = wrong + rng.choice([0, 0.2, 1.0]) * rng.normal(size=(n, n))
    table = np.where(distance == 0, exact[:, None], wrong)
    unanswered = [rng.uniform(-3, -0.5), rng.uniform(-0.5, 0.5), table[distance > 0].mean(), rng.uniform(0.3, 1.5)]
    factors = {}
    if rng.random() < 0.7:
        factors[int(rng.integers(1, n + 1))] = float(np.exp(rng.uniform(0, np.log(30))))
    if rng.random() < 0.3:
        factors[int(rng.integers(1, n + 1))] = float(rng.uniform(1, 5))
    shift = float(rng.normal() * 2)
    return Design.model_validate(
        {
            "name": "random",
            "table": (table + shift).tolist(),
            "no_parse": float(rng.choice(unanswered)) + shift,
            "oversample": factors,
            "urgent": str(rng.choice(["first", "last", "neither"])),
            "format_bonus": float(rng.choice([0, 0.1, 0.3])),
            "format_paid": str(rng.choice(["always", "parsed", "exact"])),
        }
    )


def outcomes(n_designs: int, seed: int) -> np.ndarray:
    """(designs, 2) bool: an error of the audit; collapse or abstention in half of the simulated runs."""
    rng, found = np.random.default_rng(seed), []
    while len(found) < n_designs:
        n = int(rng.choice([3, 5, 5, 5, 7]))
        prior = np.maximum(rng.dirichlet(np.full(n, 2.0)), 0.01)
        prior /= prior.sum()
        blind = float((prior**2).sum())
        arms = [
            (random_design(rng, n), Regime(skill=float(rng.uniform(blind + 0.1 * (1 - blind), 0.9)), shared=0.5))
            for _ in range(min(BATCH, n_designs - len(found)))
        ]
        for (design, regime), course in zip(arms, simulate(arms, prior, STEPS, SEEDS, every=STEPS), strict=True):
            abstained = course.deployment.shares[-1, :, -1] >= SILENT
            bad = (collapsed(course).any(axis=1) | abstained).mean() >= 0.5
            found.append((audit(design, prior, warm_start(prior, regime.skill)).reaches("error"), bad))
    return np.array(found)


def changed_audits(n_designs: int, seed: int) -> int:
    """How many of so many audits change when the table does in a way that changes no advantage."""
    rng, changed = np.random.default_rng(seed), 0
    for _ in range(n_designs):
        design = random_design(rng, 5).model_copy(update={"format_bonus": 0.0})
        prior = rng.dirichlet(np.full(5, 2.0))
        moved = Moved.model_validate(design.model_dump())
        object.__setattr__(moved, "_by", (rng.normal(size=(5, 1)) * 3, np.exp(rng.normal(size=(5, 1)))))
        changed += audit(design, prior).to_dict() != audit(moved, prior).to_dict()
    return changed


class Moved(Design):
    """A design whose rows, abstention included, are each scaled and raised."""

    _by: tuple[np.ndarray, np.ndarray]

    @property
    def rewards(self) -> np.ndarray:
        """As of a design, moved."""
        constant, factor = self._by
        return super().rewards * factor + constant


def main() -> None:
    """Print the two shares with their intervals, and the audits that changed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designs", type=int, default=500)
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    error, bad = outcomes(asked.designs, asked.seed).T
    followed, neither = (
        proportion(int(bad[error].sum()), int(error.sum())),
        proportion(int((~bad)[~error].sum()), int((~error).sum())),
    )
    print(f"{asked.designs} random designs, {int(bad.sum())} of which collapse or abstain in simulation")
    print(
        f"  an error, followed by collapse or abstention: {interval(followed)} of {int(error.sum())}   (bar: 90 %)",
        flush=True,
    )
    print(f"  no error, followed by neither:             {interval(neither)} of {int((~error).sum())}   (bar: 90 %)")
    print(f"  audits that changed: {changed_audits(asked.tables, asked.seed)} of {asked.tables}   (bar: none)")


if __name__ == "__main__":
    main()
