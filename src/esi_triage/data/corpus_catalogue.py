"""Presentations made from the ESI engine's catalogue: its own words for a complaint, and the signs that decide.

This is reading turned round: findings are put together from one entry and one of its conditions, the engine decides
(`esi.decide`, no text is read), and where one level alone is possible that level is the gold. The words are what the
entries `say`. So whoever corrects the catalogue corrects these notes too.
"""

import re
from collections.abc import Iterator
from functools import cache

from ..esi import Finding, Findings, Sex, Vitals, decide
from ..esi.catalogue import Entry, entries
from .corpus_presentations import Picture, Presentation

CATALOGUE = "catalogue-"  # begins the names of presentations made here
_AGES = ((6, 8), (25, 29), (42, 44), (56, 58), (71, 79))
_NORMAL = Vitals(temperature_c=36.8, heart_rate=80, resp_rate=16, spo2=98, sbp=118, dbp=74)
_NORMAL_CHILD = _NORMAL.model_copy(update={"heart_rate": 92, "resp_rate": 22, "sbp": 104, "dbp": 66})
_PLAIN = re.compile(r"[a-z][a-z' -]{3,38}")
_RESOURCES = {"ct": "CT", "iv-fluids": "IV fluids", "iv-medication": "IV medication", "xray": "x-ray", "ecg": "ECG"}
_WORDINGS = 12  # of one entry, spread over its list
_CHILDBEARING = {"pregnant", "late-pregnancy", "postpartum", "ectopic-risk", "female-fertile"}
_MEN = {"testicular-pain", "priapism", "penile-emergency"}


@cache
def catalogue_presentations() -> tuple[Presentation, ...]:
    """One presentation for each complaint or request, age group and level that the engine decides."""
    return tuple(
        presentation
        for entry in entries().values()
        if entry.kind in ("complaint", "request")
        for ages in _ages(entry)
        if (presentation := _presentation(entry, ages)) is not None
    )


def _ages(entry: Entry) -> tuple[tuple[int, int], ...]:
    """Age groups in which a picture does not change: no condition of the catalogue has a limit inside one."""
    return {"obstetric": _AGES[1:3], "paediatric": _AGES[:1]}.get(entry.system, _AGES)


def _sex(entry: Entry) -> Sex | None:
    if entry.name in _MEN:
        return "M"
    return "F" if entry.system == "obstetric" else None


def _presentation(entry: Entry, ages: tuple[int, int]) -> Presentation | None:
    wordings = _wordings(entry)
    found = (_picture(entry, signs, ages) for signs in dict.fromkeys(_signs(entry)))
    pictures = [picture for picture in found if picture is not None]
    if not wordings or not pictures:
        return None
    return Presentation(
        name=f"{CATALOGUE}{entry.name}",
        entry=entry.name,
        complaint=wordings,
        age=ages,
        sex=_sex(entry),
        picture=tuple(pictures),
    )


def _signs(entry: Entry) -> Iterator[tuple[Entry, ...]]:
    """No sign at all, and the signs of each condition that decides point A or B or changes the resources."""
    yield ()
    for condition in (*entry.immediate, *entry.high_risk, *(variant.when for variant in entry.variants)):
        named = [entries().get(term.name) for term in condition if term.operator is None and not term.negated]
        found = tuple(sign for sign in named if sign is not None and _wordings(sign))
        if found and len(found) == len(named) and _CHILDBEARING.isdisjoint(sign.name for sign in found):
            yield found


def _picture(entry: Entry, signs: tuple[Entry, ...], ages: tuple[int, int]) -> Picture | None:
    findings = Findings(
        age_months=12.0 * ages[0],
        vitals=_NORMAL_CHILD if ages[1] < 12 else _NORMAL,
        items=tuple(Finding(each.name, each.label, "present") for each in (entry, *signs)),
    )
    decision = decide(findings)
    if decision.possible != {decision.level}:
        return None
    clues = tuple(
        ", ".join(_wordings(sign)[i % len(_wordings(sign))] for sign in signs) for i in range(_WORDINGS if signs else 1)
    )
    deciding = next(step for step in decision.steps if step.answer == "yes" or step.point == "C")
    return Picture(
        level=decision.level,
        weight=1 if signs else 4,
        clues=clues,
        reason=deciding.reason.partition(" (")[0],
        rule=entry.rule or deciding.reason,
        vitals="normal",
        resources=tuple(_RESOURCES.get(name, name) for name in decision.resources),
    )


@cache
def _wordings(entry: Entry) -> tuple[str, ...]:
    plain = [phrase for phrase in entry.say if _PLAIN.fullmatch(phrase)]
    return tuple(plain[:: max(1, len(plain) // _WORDINGS)])[:_WORDINGS]
