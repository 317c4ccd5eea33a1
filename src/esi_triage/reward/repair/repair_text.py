"""A repair for people, as JSON, and as the TOML of the repaired design."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ..audit.finding import TITLES, listed
from ..design import Design
from .linear_program import Cell, CellChange, Repair

# fields of a design in the order in which a person reads them; the table and its name come before
_FIELDS = ("format_bonus", "format_means", "format_paid", "length_bonus", "length_limit", "length_scale", "length_paid")


def repair_as_text(result: Repair) -> str:
    """The changes cell by cell, or what stands in the way."""
    if result.after is None:
        return "\n".join([f"{result.before.name}: no table removes everything of severity {result.severity}.", "",
                          *_conflict(result)])  # fmt: skip
    if not result.changes and not result.left:
        return f"{result.before.name}: nothing of severity {result.severity} to remove; the table stays."
    if not result.changes:
        return "\n".join([f"{result.before.name}: no change to the table was found.", "", *_verdict(result)])
    total = sum(abs(change.after - change.before) for change in result.changes)
    largest = max(abs(change.after - change.before) for change in result.changes)
    moved = f"{len(result.changes)} cells move, by {total:.4g} in all and {largest:.4g} at most."
    width = max(len(cell_name(result.before, change.cell)) for change in result.changes)
    lines = [f"{result.before.name}: {moved}", ""]
    for change in result.changes:
        name = f"{cell_name(result.before, change.cell):{width}}"
        lines.append(f"  {name}  {_number(change.before):>8} -> {_number(change.after):<8}  {change.why}")
    return "\n".join([*lines, "", *_verdict(result)])


def _conflict(result: Repair) -> list[str]:
    lines = ["These cannot all be met:"]
    lines += [f"  {TITLES[demand.check]}: {demand.why}" for demand in result.conflict]
    lines += [
        f"  frozen: {cell_name(result.before, cell)} {_number(_value(result.before, cell))}" for cell in result.frozen
    ]
    checks = {demand.check for demand in result.conflict}
    if not result.frozen and {"hedging", "drift"} <= checks:
        lines.append("Class factors make another level the most probable in training than among patients. Change them.")
    return lines


def _verdict(result: Repair) -> list[str]:
    verdicts = sorted({audit.verdict for audit in result.audits})
    lines = [f"Audited again: {listed(list(verdicts))}."]
    if result.left:
        lines.append("Left (not for a table to remove, or only with the safety asymmetry):")
        lines += [f"  {TITLES[finding.check]}: {finding.message}" for finding in result.left]
    return lines


def repair_as_json(result: Repair) -> dict[str, Any]:
    """Changes, conflict, and what is left."""
    return {
        "design": result.before.name,
        "severity": result.severity,
        "feasible": result.after is not None,
        "changes": [change._asdict() for change in result.changes],
        "total": sum(abs(change.after - change.before) for change in result.changes),
        "conflict": [{"check": demand.check, "why": demand.why} for demand in result.conflict],
        "frozen": result.frozen,
        "left": [asdict(finding) for finding in result.left],
        "repaired": None if result.after is None else result.after.model_dump(),
    }


def repair_as_toml(result: Repair) -> str:
    """The repaired design, which `load_design` reads, with a reason beside each cell that moved."""
    design = (result.after or result.before).model_copy(
        update={"name": f"{result.before.name}-repaired", "about": _about(result)}
    )
    return design_as_toml(design, _reasons(result, table=True), _reasons(result, table=False))


def design_as_toml(design: Design, below_table: Sequence[str] = (), below_no_parse: Sequence[str] = ()) -> str:
    """A file that `load_design` reads; comment lines may stand below the table and below the reward for no answer."""
    lines = [f"{field} = {json.dumps(getattr(design, field), ensure_ascii=False)}" for field in ("name", "about")]
    lines += [f"labels = {json.dumps(design.labels, ensure_ascii=False)}"] if design.labels else []
    lines += [f'urgent = "{design.urgent}"', *_table(design), *below_table]
    lines += [f"no_parse = {design.no_parse!r}", *below_no_parse]
    for field in _FIELDS:
        value = getattr(design, field)
        lines.append(f"{field} = {json.dumps(value) if isinstance(value, str) else value}")
    lines += ["", "[oversample]", *(f"{level} = {factor:g}" for level, factor in design.oversample.items())]
    return "\n".join(lines) + "\n"


def _about(result: Repair) -> str:
    return (
        f"{result.before.name} with the smallest change to its table that removes what is a {result.severity} or worse."
    )


def _table(design: Design) -> list[str]:
    rows = [[repr(cell) for cell in row] for row in design.table]
    width = max(len(cell) for row in rows for cell in row)
    lines = ["table = ["]
    for level, row in zip(design.levels, rows, strict=True):
        lines.append(f"  [{', '.join(f'{cell:>{width}}' for cell in row)}], # gold {level}")
    return [*lines, "]"]


def _reasons(result: Repair, *, table: bool) -> list[str]:
    return [_reason(result, change) for change in result.changes if (change.cell is not None) == table]


def _reason(result: Repair, change: CellChange) -> str:
    name = cell_name(result.before, change.cell)
    return f"# {name}: {_number(change.before)} -> {_number(change.after)}, for {change.why}"


def cell_name(design: Design, cell: Cell) -> str:
    """A cell of the table in words."""
    if cell is None:
        return "no answer"
    gold, predicted = (design.label(level) for level in cell)
    return f"{gold} exact" if gold == predicted else f"{gold} called {predicted}"


def _value(design: Design, cell: Cell) -> float:
    return design.no_parse if cell is None else design.table[cell[0] - 1][cell[1] - 1]


def _number(value: float) -> str:
    return repr(round(value, 6) + 0.0)
