"""The audit depends on what a trainer sees of a table and on nothing else: 1,000 random tables, moved so that no
advantage changes."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from esi_triage.reward import Design, audit, load_design
from esi_triage.reward.audit.setting import Scale, Setting
from esi_triage.reward.policy import read_prior, warm_start

MIMIC = read_prior("mimic-iv-ed", 5)


class Moved(Design):
    """A design whose rows, abstention included, are each multiplied and raised: (n, 1) numbers."""

    _factor: Any = 1.0
    _constant: Any = 0.0

    @property
    def rewards(self) -> np.ndarray:
        return super().rewards * self._factor + self._constant


def moved(design: Design, constant: Any = 0.0, factor: Any = 1.0) -> Moved:
    found = Moved.model_validate(design.model_dump())
    found._constant, found._factor = constant, factor
    return found


def random_design(rng: np.random.Generator, n: int) -> Design:
    cells = rng.integers(-8, 9, size=(n, n + 1)) / 4  # coarse, so that ties are common
    values = {"name": "random", "table": cells[:, :n].tolist(), "no_parse": float(cells[0, n])}
    return Design.model_validate(values | {"oversample": {1: float(rng.integers(1, 21))}})


def world(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    prior = rng.dirichlet(np.full(n, 2.0))
    return prior, warm_start(prior, float(rng.uniform(0.3, 0.95)))


def cases(rng: np.random.Generator, n_tables: int, most: int, scale: Scale) -> Iterator[tuple[Setting, Setting]]:
    """A random table, and the same with a constant for each row and, where it is scaled, a factor for each row."""
    for _ in range(n_tables):
        n = int(rng.integers(2, most + 1))
        design, (prior, policy) = random_design(rng, n), world(rng, n)
        factor = 1.0 if scale == "none" else rng.integers(1, 9, size=(n, 1)) / 2
        other = moved(design, rng.integers(-12, 13, size=(n, 1)) / 4, factor)
        yield Setting(design, prior, policy, 4, scale), Setting(other, prior, policy, 4, scale)


@pytest.mark.parametrize("scale", ["group", "none"])
def test_a_constant_for_each_row_and_its_size_change_nothing_that_checks_see(scale: Scale) -> None:
    for setting, other in cases(np.random.default_rng(0), 1000, 7, scale):
        assert np.array_equal(setting.with_bonuses, other.with_bonuses)
        assert np.array_equal(setting.table_only, other.table_only)


@pytest.mark.parametrize("scale", ["group", "none"])
def test_they_change_no_audit(scale: Scale) -> None:
    """benchmarks/audit_bar.py does it to 1,000 tables of five levels."""
    for one, two in cases(np.random.default_rng(1), 30, 3, scale):
        first, second = (audit(s.design, s.prior, s.policy, 4, scale).to_dict() for s in (one, two))
        assert first == second


@pytest.mark.parametrize(("name", "constant"), [("v45c", -1.0), ("audited", 0.5), ("v46", 1.5)])
def test_a_constant_for_all_cells_changes_no_verdict_of_the_shipped_designs(name: str, constant: float) -> None:
    design = load_design(name)
    table = tuple(tuple(cell + constant for cell in row) for row in design.table)
    raised = design.model_copy(update={"table": table, "no_parse": design.no_parse + constant})
    assert audit(raised, MIMIC).to_dict() == audit(design, MIMIC).to_dict()
