"""Findings that somebody else read (a language model with structured output, a form): from plain JSON values.

What cannot be is named with its place: an unknown finding, an impossible value, a contradiction.
"""

import difflib
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .case import Arrival, Sex
from .catalogue import entries
from .findings import Evidence, Finding, Findings, Status
from .vitals import VITAL_SIGNS, Vitals

_NOT_TOGETHER = (("pregnant", "not-pregnant"), ("alert", "unresponsive"), ("cannot-walk", "full-use"))
_ONLY_WOMEN = ("pregnant", "late-pregnancy", "postpartum")


class FindingInput(BaseModel):
    """One finding: a name of the catalogue, how it stands to the patient now, and the words that it rests on."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="a finding of the catalogue, e.g. chest-pain")
    status: Status = Field(default="present", description="present, possible, baseline, past, planned, absent ...")
    text: str = Field(default="", description="the words of the note that say so")


class FindingsInput(BaseModel):
    """What is known of a patient at triage. What is left out was not recorded, which is not the same as normal."""

    model_config = ConfigDict(extra="forbid")

    age_years: float | None = Field(default=None, ge=0, le=125, description="years; fractions for infants")
    sex: Sex | None = None
    arrival: Arrival | None = None
    vitals: Vitals = Field(default_factory=Vitals)
    gcs: int | None = Field(default=None, ge=3, le=15, description="Glasgow coma scale")
    glucose_mg_dl: float | None = Field(default=None, gt=0, le=2000, description="blood glucose, mg/dL")
    findings: tuple[FindingInput, ...] = ()
    unread: tuple[str, ...] = Field(default=(), description="text that the extractor did not understand")


def findings_schema() -> dict[str, Any]:
    """The JSON schema of `FindingsInput`, with the names of the catalogue as the values of `name`."""
    schema = FindingsInput.model_json_schema()
    schema["$defs"]["FindingInput"]["properties"]["name"]["enum"] = sorted(_names())
    return schema


def findings_from(values: Any) -> Findings:
    """Findings from plain JSON values. Raises ValueError, one line a problem, each with its place in the JSON."""
    try:
        given = FindingsInput.model_validate(values)
    except ValidationError as error:
        lines = [f"{_place(each['loc'])}: {each['msg']}, got {each['input']!r}" for each in error.errors()]
        raise ValueError("\n".join(lines)) from None
    problems = [*_unknown(given), *_impossible(given.vitals), *_contradictions(given)]
    if problems:
        raise ValueError("\n".join(problems))
    return Findings(
        age_months=None if given.age_years is None else given.age_years * 12,
        sex=given.sex,
        arrival=given.arrival,
        vitals=given.vitals,
        gcs=given.gcs,
        glucose_mg_dl=given.glucose_mg_dl,
        items=tuple(_finding(each) for each in given.findings),
        unread=tuple(Evidence(0, len(text), text) for text in given.unread),
    )


def _finding(given: FindingInput) -> Finding:
    spans = (Evidence(0, len(given.text), given.text),) if given.text else ()
    return Finding(given.name, entries()[given.name].label, given.status, spans)


def _names() -> set[str]:
    return {entry.name for entry in entries().values() if entry.kind != "idiom"}


def _place(where: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".") or "the JSON"


def _unknown(given: FindingsInput) -> list[str]:
    names = _names()
    found = []
    for i, each in enumerate(given.findings):
        if each.name not in names:
            near = difflib.get_close_matches(each.name, names, n=3)
            hint = f"; did you mean {', '.join(near)}?" if near else "; see the schema for the names"
            found.append(f"findings[{i}].name: unknown finding {each.name!r}{hint}")
    return found


def _impossible(vitals: Vitals) -> list[str]:
    found = []
    for sign in VITAL_SIGNS:
        value = getattr(vitals, sign.name)
        if value is not None and not sign.plausible(value):
            found.append(
                f"vitals.{sign.name}: {value:g} {sign.unit} is impossible, expected {sign.low:g} to {sign.high:g}"
            )
    if vitals.sbp is not None and vitals.dbp is not None and vitals.dbp >= vitals.sbp:
        found.append(f"vitals.dbp: {vitals.dbp:g} is not below vitals.sbp {vitals.sbp:g}")
    return found


def _contradictions(given: FindingsInput) -> list[str]:
    found: list[str] = []
    first: dict[str, int] = {}
    now: dict[str, int] = {}
    for i, each in enumerate(given.findings):
        if each.name in first:
            found.append(f"findings[{i}].name: {each.name!r} stands in findings[{first[each.name]}], too; give it once")
        first.setdefault(each.name, i)
        if each.status in ("present", "possible"):
            now[each.name] = i
    for one, other in _NOT_TOGETHER:
        if one in now and other in now:
            found.append(f"findings[{now[other]}].name: {other!r} contradicts {one!r} in findings[{now[one]}]")
    found += [
        f"findings[{now[name]}].name: {name!r} contradicts sex 'M'"
        for name in _ONLY_WOMEN
        if given.sex == "M" and name in now
    ]
    return found
