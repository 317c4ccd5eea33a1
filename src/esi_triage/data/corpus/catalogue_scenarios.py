"""Presentations made from the ESI engine's catalogue: its own words for a complaint, and the signs that decide.

This is reading turned round: findings are put together from one entry and one of its conditions, the engine decides
(`esi.decide`, no text is read), and where one level alone is possible that level is the gold. The words are what the
entries `say`, as far as the engine reads in them what they stand for and no more. So whoever corrects the catalogue
corrects these notes too.
"""

import re
from collections.abc import Iterator
from functools import cache

from ...esi import Finding, Findings, Sex, Vitals, decide
from ...esi.catalogue import Entry, entries, rules
from ...esi.decide.conditions import Condition
from ...esi.read.complaint_entries import names_in, sets_a_context
from .presentations import Picture, Presentation

CATALOGUE = "catalogue-"  # begins the names of presentations made here
_INFANT = ((0.6, 0.8),)
_AGES = ((7, 8), (25, 29), (42, 44), (56, 58), (71, 74))
_NORMAL = Vitals(temperature_c=36.8, heart_rate=80, resp_rate=16, spo2=98, sbp=118, dbp=74)
_NORMAL_CHILD = _NORMAL.model_copy(update={"heart_rate": 92, "resp_rate": 22, "sbp": 104, "dbp": 66})
_NORMAL_INFANT = _NORMAL.model_copy(update={"heart_rate": 128, "resp_rate": 34, "sbp": 88, "dbp": 54})
_PLAIN = re.compile(
    r"(?!.*\b(a|an|the|of|in|on|at|by|to|for|from|into|with|without|over|under|and|or|than|as|if|when|while|is|was"
    r"|i|he|she|his|her|my|their|your|no|not)$)(?!(?:with|than|of|to|for) )[a-z][a-z' -]{3,38}"
)
_OF_INFANTS = re.compile(r"\b(baby|infant|newborn|feeding)\b")
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


def _ages(entry: Entry) -> tuple[tuple[float, float], ...]:
    """Age groups in which a picture does not change: no condition of the catalogue has a limit inside one."""
    if entry.system == "paediatric" or _OF_INFANTS.search(entry.label):
        return _INFANT
    return _AGES[1:3] if entry.system == "obstetric" else _AGES


def _sex(entry: Entry) -> Sex | None:
    if entry.name in _MEN:
        return "M"
    return "F" if entry.system == "obstetric" else None


def _presentation(entry: Entry, ages: tuple[float, float]) -> Presentation | None:
    wordings = _complaints(entry)
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
    for condition in _conditions(entry):
        named = [entries().get(term.name) for term in condition if term.operator is None and not term.negated]
        found = tuple(sign for sign in named if sign is not None and _wordings(sign))
        if found and len(found) == len(named) and _CHILDBEARING.isdisjoint(sign.name for sign in found):
            yield found


def _conditions(entry: Entry) -> tuple[Condition, ...]:
    return (*entry.immediate, *entry.high_risk, *(variant.when for variant in entry.variants))


def _picture(entry: Entry, signs: tuple[Entry, ...], ages: tuple[float, float]) -> Picture | None:
    clues = _clues(entry, signs)
    if not clues:
        return None
    findings = Findings(
        age_months=12.0 * ages[0],
        vitals=_NORMAL_INFANT if ages[1] < 1 else _NORMAL_CHILD if ages[1] < 12 else _NORMAL,
        items=tuple(Finding(each.name, each.label, "present") for each in (entry, *signs)),
    )
    decision = decide(findings)
    if decision.possible != {decision.level}:
        return None
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
def _clues(entry: Entry, signs: tuple[Entry, ...]) -> tuple[str, ...]:
    """Words for the signs that say no more to this entry than the signs do; one empty clue where there is no sign."""
    if not signs:
        return ("",)
    said = [
        [wording for wording in _wordings(sign) if _says_no_more(wording, (entry, *signs))][:_WORDINGS]
        for sign in signs
    ]
    if not all(said):
        return ()
    return tuple(dict.fromkeys(", ".join(each[i % len(each)] for each in said) for i in range(_WORDINGS)))


@cache
def _complaints(entry: Entry) -> tuple[str, ...]:
    return tuple(wording for wording in _wordings(entry) if _says_no_more(wording, (entry,)))[:_WORDINGS]


@cache
def _wordings(entry: Entry) -> tuple[str, ...]:
    """Plain phrases of the entry, spread over its list, that name it when they are read and set no context."""
    plain = [phrase for phrase in entry.say if _PLAIN.fullmatch(phrase)]
    spread = plain[:: max(1, len(plain) // (3 * _WORDINGS))]
    return tuple(phrase for phrase in spread if entry.name in _read(phrase) and not sets_a_context(phrase))


_read = cache(names_in)


def _says_no_more(wording: str, meant: tuple[Entry, ...]) -> bool:
    """True where whatever else the engine reads in the words decides nothing, by itself or for what is meant."""
    more = _read(wording) - {each.name for each in meant}
    return all(_decides_nothing(name) for name in more) and all(more.isdisjoint(_asked_about(each)) for each in meant)


@cache
def _decides_nothing(name: str) -> bool:
    entry = entries()[name]
    brings = (entry.resources, entry.may_need, entry.variants, entry.immediate, entry.high_risk, entry.implies)
    return entry.kind in ("sign", "condition", "idiom") and not any(brings) and name not in _policy_names()


@cache
def _asked_about(entry: Entry) -> frozenset[str]:
    return frozenset(term.name for condition in _conditions(entry) for term in condition)


@cache
def _policy_names() -> frozenset[str]:
    """Findings that count whatever the complaint is."""
    lists = [names for table in rules("policy").values() for names in table.values() if isinstance(names, list)]
    return frozenset(str(name) for names in lists for name in names) | {"vitals-normal", "frail", "hypoperfusion"}
