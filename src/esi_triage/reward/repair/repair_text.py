"""A repair for people, as JSON, and as the TOML of the repaired design."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ..audit.finding import TITLES, listed
from ..design import Design
from .linear_program import Cell, Repair, value_of


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
        f"  frozen: {cell_name(result.before, cell)} {_number(value_of(result.before, cell))}" for cell in result.frozen
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
    name, worst = result.before.name, result.severity
    about = f"{name} with the smallest change to its table that removes what is a {worst} or worse."
    design = (result.after or result.before).model_copy(update={"name": f"{name}-repaired", "about": about})
    reasons: dict[str, list[str]] = {"table": [], "no_parse": []}
    for change in result.changes:
        moved = f"{cell_name(result.before, change.cell)}: {_number(change.before)} -> {_number(change.after)}"
        reasons["no_parse" if change.cell is None else "table"].append(f"# {moved}, for {change.why}")
    return design_as_toml(design, reasons)


def design_as_toml(design: Design, below: Mapping[str, Sequence[str]] | None = None) -> str:
    """A file that `load_design` reads; comment lines may stand below a field."""
    lines = []
    for field, value in design:
        if field == "table":
            lines += _table(design)
        elif field == "oversample":
            lines += ["", "[oversample]", *(f"{level} = {factor:g}" for level, factor in value.items())]
        else:
            lines.append(f"{field} = {json.dumps(value, ensure_ascii=False)}")
        lines += (below or {}).get(field, ())
    return "\n".join(lines) + "\n"


def _table(design: Design) -> list[str]:
    rows = [[repr(cell) for cell in row] for row in design.table]
    width = max(len(cell) for row in rows for cell in row)
    lines = [f"  [{', '.join(f'{cell:>{width}}' for cell in row)}], # gold {k}" for k, row in enumerate(rows, start=1)]
    return ["table = [", *lines, "]"]


def cell_name(design: Design, cell: Cell) -> str:
    """A cell of the table in words."""
    if cell is None:
        return "no answer"
    gold, predicted = (design.label(level) for level in cell)
    return f"{gold} exact" if gold == predicted else f"{gold} called {predicted}"


def _number(value: float) -> str:
    return repr(round(value, 6) + 0.0)
