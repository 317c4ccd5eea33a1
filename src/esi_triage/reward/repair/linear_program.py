"""The linear program of a repair: the least sum of changes, of these the least largest; and why, where there is none.

The variables are the cells of the table row by row, then abstention. Exact answers keep their reward, as only the
differences from it count, and a change counts in units of its row (`Setting.units`). Demands are linear while the units
stand still; they move with the table, so the demands are set up again around each solution.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ...errors import InputError
from ..audit import Audit, audit
from ..audit.finding import SEVERITIES, TITLES, AuditFinding, Severity
from ..audit.setting import Scale, Setting
from ..design import Design
from .demands import Demand, demands, kept_order

MARGIN = 0.05  # a twentieth of the step from wrong to exact in most tables
TIES = 1e-5  # weight of the largest change beside the sum of all: it decides between equal sums only
SAME = 1e-7  # HiGHS solves to this
ROUNDS = 8  # of setting up the demands again
Cell = tuple[int, int] | None  # gold and predicted level from 1; None is no answer


class CellChange(NamedTuple):
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
    changes: list[CellChange]
    conflict: list[Demand]
    frozen: list[Cell]
    audits: list[Audit]

    @property
    def left(self) -> list[AuditFinding]:
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
    scale: Scale = "group",
) -> Repair:
    """The smallest change to the table after which no world's audit finds anything of that severity or a worse one.

    A world is a prior (n,) and the warm start's policy (n, n + 1), as for `audit`. `frozen` cells keep their value.
    """
    _check(design, frozen, margin)
    first = audits = [audit(design, prior, policy, group_size, scale) for prior, policy in worlds]
    after, changes, cells = design, [], _cells(design)
    start = np.append(np.array(design.table).ravel(), design.no_parse)
    weights = np.mean([_prices_of(result.setting) for result in first], axis=0)
    held = {cells.index(cell): cell for cell in [*frozen, *((level, level) for level in design.levels)]}
    for _ in range(ROUNDS):
        if not any(result.reaches(severity) for result in audits):
            break
        asked = [
            *(_on_cells(one.setting, demand) for one in audits for demand in demands(one.setting, severity, margin)),
            *(_on_cells(one.setting, demand) for one in first for demand in kept_order(one.setting, margin)),
        ]
        values, prices = _least_change(start, asked, list(held), weights)
        if values is None and changes:  # the units have moved to where nothing will do: what was found before stays
            break
        if values is None:
            conflict, kept = _conflict(start, asked, list(held), weights)
            named = [held[index] for index in kept if held[index] in frozen]
            return Repair(design, None, severity, [], conflict, named, first)
        before, after = after, _design(design, values)
        changes = _changes(design, after, asked, prices)
        audits = [audit(after, prior, policy, group_size, scale) for prior, policy in worlds]
        if np.allclose(before.rewards, after.rewards, atol=SAME):
            break
    return Repair(design, after, severity, changes, [], [], audits)


def _on_cells(setting: Setting, demand: Demand) -> Demand:
    """The same of the cells (cells,), where the trainer sees (cell - exact) / unit of its row."""
    weights = demand.weights / setting.units
    weights[:, :-1] -= np.diag(weights.sum(axis=1))
    return demand._replace(weights=np.append(weights[:, :-1].ravel(), weights[:, -1].sum()))


def _prices_of(setting: Setting) -> np.ndarray:
    """(cells,): what a change of 1 counts, row by row; abstention is in all rows."""
    by_row = 1 / setting.units[:, 0]
    return np.append(np.repeat(by_row, setting.n), by_row.mean())


def _check(design: Design, frozen: Collection[Cell], margin: float) -> None:
    n = len(design.table)
    for cell in frozen:
        if cell is not None and not all(level in design.levels for level in cell):
            raise InputError(f"--freeze {cell[0]},{cell[1]}: gold and predicted level of {design.name} are 1 to {n}.")
    if not 0 < margin < np.inf:
        raise InputError(f"--margin {margin:g}: give a number above 0.")


def _cells(design: Design) -> list[Cell]:
    """Row by row, then no answer: the order of the variables."""
    return [*((gold, level) for gold in design.levels for level in design.levels), None]


def value_of(design: Design, cell: Cell) -> float:
    """What a cell pays."""
    return design.no_parse if cell is None else design.table[cell[0] - 1][cell[1] - 1]


def _least_change(
    start: np.ndarray, asked: Sequence[Demand], held: Sequence[int], weights: np.ndarray
) -> tuple[np.ndarray | None, np.ndarray]:
    """The repaired cells, None where there are none, and what each demand adds to the sum of changes (its price)."""
    k = len(start)
    a, least, eye = np.array([row.weights for row in asked]), np.array([row.least for row in asked]), np.eye(k)
    # besides the cells: the size of each change, then the largest
    demanded = np.hstack([-a, np.zeros((len(a), k + 1))])
    sizes = np.block([[eye, -eye, np.zeros((k, 1))], [-eye, -eye, np.zeros((k, 1))]])
    largest = np.hstack([np.zeros((k, k)), np.diag(weights), -np.ones((k, 1))])
    rows = np.vstack([demanded, sizes, largest])
    most = np.concatenate([-least, start, -start, np.zeros(k)])
    bounds = [(None, None)] * k + [(0.0, None)] * (k + 1)
    for index in held:
        bounds[index] = (start[index], start[index])
    cost = np.concatenate([np.zeros(k), weights, [TIES]])
    found = _solve(cost, rows, most, bounds)
    return (None, np.empty(0)) if found is None else (found.x[:k], -found.ineqlin.marginals[: len(a)])


def _solve(cost: np.ndarray, rows: np.ndarray, most: np.ndarray, bounds: Sequence[tuple[Any, Any]]) -> Any:
    """SciPy's result, or None where nothing fulfils the rows."""
    from scipy.optimize import linprog

    result = linprog(cost, rows, most, bounds=bounds, method="highs")
    return result if result.status == 0 else None


def _conflict(
    start: np.ndarray, asked: list[Demand], held: list[int], weights: np.ndarray
) -> tuple[list[Demand], list[int]]:
    """Demands and frozen cells that cannot all be met, none of which can be spared (deletion filter).

    It begins with those that have a price where every demand may be broken at the same cost (Farkas).
    """
    k, m = len(start), len(asked)
    rows = np.hstack([-np.array([row.weights for row in asked]), -np.eye(m)])
    bounds = [(start[i], start[i]) if i in held else (None, None) for i in range(k)] + [(0.0, None)] * m
    elastic = _solve(np.append(np.zeros(k), np.ones(m)), rows, -np.array([row.least for row in asked]), bounds)
    asked = [row for row, price in zip(asked, elastic.ineqlin.marginals, strict=True) if abs(price) > SAME]
    for row in list(asked):
        fewer = [other for other in asked if other is not row]
        if fewer and _least_change(start, fewer, held, weights)[0] is None:
            asked = fewer
    for index in list(held):
        fewer_held = [other for other in held if other != index]
        if _least_change(start, asked, fewer_held, weights)[0] is None:
            held = fewer_held
    return asked, held


def _design(design: Design, values: np.ndarray) -> Design:
    *table, no_parse = np.round(values, 12) + 0.0
    rows = np.reshape(table, (len(design.table), -1)).tolist()
    return design.model_copy(update={"table": tuple(map(tuple, rows)), "no_parse": float(no_parse)})


def _changes(before: Design, after: Design, asked: Sequence[Demand], prices: np.ndarray) -> list[CellChange]:
    """Each cell that moved, with the demand that pulls hardest at it."""
    pull = np.abs(np.array([row.weights for row in asked]) * prices[:, None])
    changes = []
    for index, cell in enumerate(_cells(before)):
        old, new = value_of(before, cell), value_of(after, cell)
        if abs(new - old) > SAME * 10:
            strongest = asked[int(pull[:, index].argmax())]
            changes.append(CellChange(cell, old, new, f"{TITLES[strongest.check]}: {strongest.why}"))
    return changes
