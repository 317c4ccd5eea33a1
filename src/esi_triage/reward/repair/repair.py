"""The linear program of a repair: the least sum of changes, of these the least largest; and why, where there is none.

The variables are the cells of the table row by row, then silence. `a` (demands, cells) × cells >= `b` (demands,).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ...errors import InputError
from ..audit import Audit, audit
from ..audit.finding import SEVERITIES, Finding, Severity
from ..design import Design
from .demands import Demand, demands, never_punished

MARGIN = 0.05  # a twentieth of the step from wrong to exact in most tables
TIES = 1e-5  # weight of the largest change beside the sum of all: it decides between equal sums only
SAME = 1e-7  # HiGHS solves to this
Cell = tuple[int, int] | None  # gold and predicted level from 1; None is silence


class Change(NamedTuple):
    """One cell that moves, and a demand that moves it."""

    cell: Cell
    before: float
    after: float
    why: str


@dataclass(frozen=True, slots=True)
class Repair:
    """`after` is None where no table fulfils all demands; `conflict` and `frozen` then say which cannot meet.

    `audits` are of the repaired design (else of the old one), one for each world.
    """

    before: Design
    after: Design | None
    severity: Severity
    changes: list[Change]
    conflict: list[Demand]
    frozen: list[Cell]
    audits: list[Audit]

    @property
    def left(self) -> list[Finding]:
        """Findings of the severity to be removed that are there all the same, one of each message."""
        worst = SEVERITIES.index(self.severity)
        found = [f for result in self.audits for f in result.findings if SEVERITIES.index(f.severity) >= worst]
        return list({finding.message: finding for finding in found}.values())


def repair(
    design: Design,
    worlds: Sequence[tuple[np.ndarray, np.ndarray]],
    severity: Severity = "warning",
    frozen: Collection[Cell] = (),
    margin: float = MARGIN,
    group_size: int = 8,
) -> Repair:
    """The smallest change to the table after which no world's audit finds anything of that severity or a worse one.

    A world is a prior (n,) and the warm start's policy (n, n + 1), as for `audit`. `frozen` cells keep their value.
    """
    _check(design, frozen, margin)
    audits = [audit(design, prior, policy, group_size) for prior, policy in worlds]
    if not any(result.reaches(severity) for result in audits):
        return Repair(design, design, severity, [], [], [], audits)
    asked = [demand for result in audits for demand in demands(result.setting, severity, margin)]
    start = np.append(np.array(design.table).ravel(), design.no_parse)
    most = len(asked) + len(worlds) * len(design.table)  # every level once in every world
    held = {_index(cell, len(design.table)): cell for cell in frozen}
    while True:
        cells, prices = _least_change(start, asked, list(held))
        if cells is None:
            conflict, kept = _conflict(start, asked, list(held))
            return Repair(design, None, severity, [], conflict, [held[index] for index in kept], audits)
        after = _design(design, cells)
        again = [audit(after, prior, policy, group_size) for prior, policy in worlds]
        more = [demand for result in again for demand in never_punished(result.setting, margin)]
        if not more or len(asked) > most:
            return Repair(design, after, severity, _changes(design, after, asked, prices), [], [], again)
        asked += more


def _check(design: Design, frozen: Collection[Cell], margin: float) -> None:
    n = len(design.table)
    for cell in frozen:
        if cell is not None and not all(level in design.levels for level in cell):
            raise InputError(f"--freeze {cell[0]},{cell[1]}: gold and predicted level of {design.name} are 1 to {n}.")
    if not 0 < margin < np.inf:
        raise InputError(f"--margin {margin:g}: give a number above 0, in units of reward.")


def _index(cell: Cell, n: int) -> int:
    return n * n if cell is None else (cell[0] - 1) * n + cell[1] - 1


def _matrix(asked: Sequence[Demand]) -> np.ndarray:
    """(demands, cells): silence is one number, whatever the gold level."""
    return np.array([np.append(demand.weights[:, :-1].ravel(), demand.weights[:, -1].sum()) for demand in asked])


def _least_change(
    start: np.ndarray, asked: Sequence[Demand], held: Sequence[int]
) -> tuple[np.ndarray | None, np.ndarray]:
    """The repaired cells, None where there are none, and what each demand adds to the sum of changes (its price)."""
    k = len(start)
    a, least, eye = _matrix(asked), np.array([demand.least for demand in asked]), np.eye(k)
    # besides the cells: the size of each change, then the largest
    demanded = np.hstack([-a, np.zeros((len(a), k + 1))])
    sizes = np.block([[eye, -eye, np.zeros((k, 1))], [-eye, -eye, np.zeros((k, 1))]])
    largest = np.hstack([np.zeros((k, k)), eye, -np.ones((k, 1))])
    rows = np.vstack([demanded, sizes, largest])
    most = np.concatenate([-least, start, -start, np.zeros(k)])
    bounds = [(None, None)] * k + [(0.0, None)] * (k + 1)
    for index in held:
        bounds[index] = (start[index], start[index])
    cost = np.concatenate([np.zeros(k), np.ones(k), [TIES]])
    found = _solve(cost, rows, most, bounds)
    return (None, np.empty(0)) if found is None else (found.x[:k], -found.ineqlin.marginals[: len(a)])


def _solve(cost: np.ndarray, rows: np.ndarray, most: np.ndarray, bounds: Sequence[tuple[Any, Any]]) -> Any:
    """SciPy's result, or None where nothing fulfils the rows."""
    from scipy.optimize import linprog

    result = linprog(cost, rows, most, bounds=bounds, method="highs")
    return result if result.status == 0 else None


def _conflict(start: np.ndarray, asked: list[Demand], held: list[int]) -> tuple[list[Demand], list[int]]:
    """Demands and frozen cells that cannot all be met, none of which can be spared (deletion filter).

    It begins with those that have a price where every demand may be broken at the same cost (Farkas).
    """
    k, m = len(start), len(asked)
    rows = np.hstack([-_matrix(asked), -np.eye(m)])
    bounds = [(start[i], start[i]) if i in held else (None, None) for i in range(k)] + [(0.0, None)] * m
    elastic = _solve(np.append(np.zeros(k), np.ones(m)), rows, -np.array([d.least for d in asked]), bounds)
    asked = [demand for demand, price in zip(asked, elastic.ineqlin.marginals, strict=True) if abs(price) > SAME]
    for demand in list(asked):
        fewer = [other for other in asked if other is not demand]
        if fewer and _least_change(start, fewer, held)[0] is None:
            asked = fewer
    for index in list(held):
        fewer_held = [other for other in held if other != index]
        if _least_change(start, asked, fewer_held)[0] is None:
            held = fewer_held
    return asked, held


def _design(design: Design, cells: np.ndarray) -> Design:
    n = len(design.table)
    values = [round(float(cell), 12) + 0.0 for cell in cells]
    table = tuple(tuple(values[row * n : (row + 1) * n]) for row in range(n))
    return design.model_copy(update={"table": table, "no_parse": values[-1]})


def _changes(before: Design, after: Design, asked: Sequence[Demand], prices: np.ndarray) -> list[Change]:
    """Each cell that moved, with the demand that pulls hardest at it."""
    n = len(before.table)
    pull = np.abs(_matrix(asked) * prices[:, None])
    cells: list[Cell] = [(gold, level) for gold in before.levels for level in before.levels]
    changes = []
    for cell in (*cells, None):
        old, new = (d.no_parse if cell is None else d.table[cell[0] - 1][cell[1] - 1] for d in (before, after))
        if abs(new - old) > SAME * 10:
            strongest = asked[int(pull[:, _index(cell, n)].argmax())]
            changes.append(Change(cell, old, new, f"{strongest.check}: {strongest.why}"))
    return changes
