"""How often the 95 % intervals hold the truth: simulated test sets from known populations, evaluated as any other.

    python benchmarks/coverage.py [--simulations 2000] [--sizes 36 200 2000] [--population expert]

A population is a class prior and a confusion: with what chance a model answers each level to a case of each gold level.
Its own figures are the truth. The interval of a figure should hold it in 95 of 100 test sets: 93 to 97 is the bar. The
misses are told apart: `below` is an interval that ends below the truth, `above` one that begins above it.
"""

import argparse
import math
from collections import Counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from esi_triage.evaluate.scored import Scored, scored
from esi_triage.evaluate.statistics.costs import load_costs
from esi_triage.evaluate.statistics.metrics import figures
from esi_triage.evaluate.statistics.paired_tests import differences
from esi_triage.progress import bar

MIETIC = (14, 11, 5, 4, 2)  # the class counts of the 36 expert-annotated cases
NURSES = (57, 337, 538, 64, 4)  # a thousand visits as nurses graded them: few at both ends


class Population(NamedTuple):
    """`prior` of gold; share `exact` and `silent`; a wrong level one step further off is `reach` times as likely."""

    prior: tuple[int, ...]
    exact: float
    silent: float
    reach: float

    def table(self) -> NDArray[np.float64]:
        """(5, 6) chances that sum to 1."""
        distance = np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
        wrong = np.where(distance > 0, self.reach**distance, 0.0)
        wrong *= (1 - self.exact - self.silent) / wrong.sum(axis=1, keepdims=True)
        rows = np.column_stack([wrong + self.exact * np.eye(5), np.full(5, self.silent)])
        return rows * np.array(self.prior)[:, None] / sum(self.prior)


POPULATIONS = {
    "expert": Population(MIETIC, 0.78, 0.0, 0.08),  # as the model card's: nearly always within one
    "strong": Population(MIETIC, 0.89, 0.0, 0.05),
    "weak": Population(MIETIC, 0.65, 0.03, 0.22),
    "nurses": Population(NURSES, 0.62, 0.01, 0.08),
}
WILSON = ("exact", "within_one", "under_triage", "high_acuity_sensitivity")
BOOTSTRAP = ("qwk", "ac2", "macro_f1", "macro_mae", "expected_cost")


def coverage(
    population: Population, n: int, simulations: int, visits: int = 1, resamples: int = 1000
) -> dict[str, Counter[str]]:
    """By figure: in how many simulated sets of `n` cases the interval held the truth, ended below, began above it.

    With `visits` > 1 each patient comes so often, with the same gold, and half of the visits repeat the first answer.
    """
    rng = np.random.default_rng(20)
    table, costs = population.table(), load_costs()
    truth = figures(_exactly(table), costs)
    found: dict[str, Counter[str]] = {}
    for seed in range(simulations):
        cells, patients = _cases(rng, table, n, visits)
        measured = figures(_scored(cells, patients, resamples, seed), costs)
        for name in (*WILSON, *BOOTSTRAP):
            found.setdefault(name, Counter())[_where(measured[name], truth[name]["value"])] += 1
    return found


def coverage_of_difference(population: Population, n: int, simulations: int, resamples: int = 1000) -> dict[str, Any]:
    """The same for differences: two models of the population, half of whose answers are the same; the truth is 0."""
    rng = np.random.default_rng(21)
    found: dict[str, Counter[str]] = {}
    for seed in range(simulations):
        first, _ = _cases(rng, population.table(), n, 1)
        second = np.where(rng.random(n) < 0.5, first, _answered_again(rng, population.table(), first))
        patients = np.arange(n)
        measured = differences(*(_scored(cells, patients, resamples, seed) for cells in (first, second)))
        for name in ("exact", "high_acuity_sensitivity", "qwk", "ac2", "macro_f1", "macro_mae"):
            found.setdefault(f"difference in {name}", Counter())[_where(measured[name], 0.0)] += 1
    return found


def _scored(cells: NDArray[Any], patients: NDArray[Any], resamples: int, seed: int) -> Scored:
    predicted = [None if c % 6 == 5 else int(c % 6) + 1 for c in cells]
    return scored((cells // 6 + 1).tolist(), predicted, patients.tolist(), resamples, seed)


def _exactly(table: NDArray[np.float64]) -> Scored:
    """The population itself, a case in a hundred thousand at a time: its figures are the truth."""
    cells = np.repeat(np.arange(30), np.round(table.ravel() * 100_000).astype(int))
    return _scored(cells, np.arange(len(cells)), 2, 0)


def _cases(rng: np.random.Generator, table: NDArray[np.float64], n: int, visits: int) -> tuple[Any, Any]:
    """Cell and patient of n cases."""
    patients = np.arange(n) // visits
    first = rng.choice(30, size=math.ceil(n / visits), p=table.ravel())[patients]
    again = _answered_again(rng, table, first)
    repeats = (np.arange(n) % visits == 0) | (rng.random(n) < 0.5)
    return np.where(repeats, first, again), patients


def _answered_again(rng: np.random.Generator, table: NDArray[np.float64], cells: NDArray[Any]) -> NDArray[Any]:
    """Another answer to each case, its gold kept."""
    chances = np.cumsum(table / table.sum(axis=1, keepdims=True), axis=1)[cells // 6]
    return cells // 6 * 6 + np.minimum((rng.random(len(cells))[:, None] > chances).sum(axis=1), 5)


def _where(figure: Any, truth: float) -> str:
    if figure["value"] is None:
        return "undefined"
    if figure["high"] < truth - 1e-12:
        return "below"
    return "above" if figure["low"] > truth + 1e-12 else "held"


def main() -> None:
    """Print coverage by population, size and figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=2000)
    parser.add_argument("--sizes", type=int, nargs="+", default=[36, 200, 2000])
    parser.add_argument("--population", choices=POPULATIONS, action="append")
    chosen = parser.parse_args()
    names = chosen.population or list(POPULATIONS)
    with bar("coverage", len(names) * len(chosen.sizes) * 3, "run") as shown:
        for name in names:
            for n in chosen.sizes:
                population = POPULATIONS[name]
                for what, found in (
                    ("one case a patient", coverage(population, n, chosen.simulations)),
                    ("three cases a patient", coverage(population, n, chosen.simulations, visits=3)),
                    ("two models", coverage_of_difference(population, n, chosen.simulations)),
                ):
                    lines = [_line(figure, counts) for figure, counts in found.items()]
                    shown.write("\n".join([f"\n{name}, n = {n}, {what}", *lines]))
                    shown.update(1)


def _line(figure: str, counts: Counter[str]) -> str:
    defined = counts.total() - counts["undefined"]
    held, below, above = (100 * counts[where] / max(defined, 1) for where in ("held", "below", "above"))
    return f"  {figure:38} {held:5.1f} %   below {below:4.1f}   above {above:4.1f}"


if __name__ == "__main__":
    main()
