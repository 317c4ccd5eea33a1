"""Slices: the same figures on parts of a case set that are known to be hard, or that must not fare worse."""

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...esi import Case
from ...esi.catalogue import entries
from ...esi.decide.conditions import parse_condition
from ...esi.decide.patient_facts import PatientFacts, gather
from ...predict.model import Reading
from ..scored import Scored
from ..statistics.confusion import SHARES

FEW = 30
"""Below this many cases an interval is so wide that a slice says little; the report says so."""

SHOWN = ("exact", "under_triage", "under_triage_or_silent", "over_triage")
_SIGNS = ("temperature_c", "heart_rate", "resp_rate", "spo2", "sbp", "dbp")


class Slice(NamedTuple):
    """A part of the cases: what it is a part by, its name there, and a (n,) mask."""

    group: str
    name: str
    mask: NDArray[np.bool_]


def slices_of(cases: Sequence[Case], readings: Sequence[Reading]) -> list[Slice]:
    """The slices of slices.toml, in its order. `readings` belong to the cases in order."""
    columns = members(cases, readings).T
    return [Slice(row["group"], row["name"], mask) for row, mask in zip(_rows(), columns, strict=True)]


def slice_figures(scored: Scored, parts: Sequence[Slice]) -> list[dict[str, Any]]:
    """By slice: `group`, `name`, `n`, `few` (n below 30), and the proportions `SHOWN`.

    A slice without a case is kept, with n = 0: that a weakness was not tested is worth knowing.
    """
    found = []
    for group, name, mask in parts:
        part, n = scored.only(mask), int(mask.sum())
        shares = {shown: part.share(*SHARES[shown]) for shown in SHOWN}
        found.append({"group": group, "name": name, "n": n, "few": n < FEW, **shares})
    return found


def members(cases: Sequence[Case], readings: Sequence[Reading]) -> NDArray[np.bool_]:
    """(cases, slices): which case is in which slice."""
    rows = _rows()
    held = np.zeros((len(cases), len(rows)), dtype=bool)
    for i, (case, reading) in enumerate(zip(cases, readings, strict=True)):
        facts, traits = gather(reading.findings, "v5"), traits_of(case, reading)
        for j, row in enumerate(rows):
            held[i, j] = not row.get("otherwise") and _holds(row, facts, traits)
    for j, row in enumerate(rows):
        if row.get("otherwise"):
            others = [k for k, other in enumerate(rows) if other["group"] == row["group"] and k != j]
            held[:, j] = ~held[:, others].any(axis=1)
    return held


def traits_of(case: Case, reading: Reading) -> dict[str, Any]:
    """The fields that slices.toml may name; null where neither the table nor the narrative says."""
    told, findings = case.vitals, reading.findings
    months = findings.age_months
    return {
        "age": case.age_years if case.age_years is not None else (None if months is None else months / 12),
        "sex": case.sex or findings.sex,
        "arrival": case.arrival or findings.arrival,
        "vitals": sum(getattr(told, s) is not None or getattr(findings.vitals, s) is not None for s in _SIGNS),
        "words": len(case.narrative.split()),
    }


def _holds(row: dict[str, Any], facts: PatientFacts, traits: dict[str, Any]) -> bool:
    if "when" in row:
        return any(facts.holds(condition) for condition in row["when"])
    if "kind" in row:
        return any(entries()[item.name].kind == row["kind"] for item in facts.findings.with_status("present"))
    value = traits[row["field"]]
    if value is None:
        return False
    return value == row["is"] if "is" in row else row["from"] <= value < row["below"]


@cache
def _rows() -> list[dict[str, Any]]:
    file = resources.files("esi_triage.evaluate.breakdowns") / "slices.toml"
    rows = tomllib.loads(file.read_text(encoding="utf-8"))["slice"]
    return [row | {"when": [parse_condition(line) for line in row["when"]]} if "when" in row else row for row in rows]
