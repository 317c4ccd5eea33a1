"""From the fields of a visit to the text that a model reads.

Only what a triage nurse could know enters: `Note` is the allow-list. What was not recorded is said, never invented.
"""

from dataclasses import dataclass, field

from ..esi import Arrival, Sex, Vitals

STYLES = ("prose", "telegraphic", "handoff")


@dataclass(frozen=True, slots=True)
class Note:
    """What may be told. `clue` is what can be seen or heard of the patient now, `history` what is past."""

    chief_complaint: str | None = None
    age_years: float | None = None
    sex: Sex | None = None
    arrival: Arrival | None = None
    vitals: Vitals = field(default_factory=Vitals)
    pain_raw: str | None = None
    clue: str | None = None
    history: str | None = None


_WHO = {"F": "woman", "M": "man", None: "patient"}
_CHILD = {"F": "girl", "M": "boy", None: "child"}
_ARRIVAL = {"walk-in": "on foot", "ambulance": "by ambulance", "helicopter": "by helicopter", "other": "by other means"}


def render(note: Note, style: str) -> str:
    """The narrative in one of `STYLES`: a nurse's prose, a telegraphic note, or an EMS hand-off."""
    if style == "prose":
        return _prose(note)
    if style == "telegraphic":
        return _telegraphic(note)
    if style == "handoff":
        return _handoff(note)
    raise ValueError(f"style must be one of {STYLES}, not {style!r}")


def vitals_text(vitals: Vitals) -> str:
    """The six measured signs in a fixed order with units, e.g. `BP 88/60, HR 118, RR 24, SpO2 91 %, T not recorded`."""
    v = vitals
    signs = {
        "BP": f"{v.sbp:.0f}/{v.dbp:.0f}" if v.sbp is not None and v.dbp is not None else None,
        "HR": f"{v.heart_rate:.0f}" if v.heart_rate is not None else None,
        "RR": f"{v.resp_rate:.0f}" if v.resp_rate is not None else None,
        "SpO2": f"{v.spo2:.0f} %" if v.spo2 is not None else None,
        "T": f"{v.temperature_c:.1f} °C" if v.temperature_c is not None else None,
    }
    if signs["BP"] is None and v.sbp is not None:
        signs["BP"] = f"{v.sbp:.0f}/not recorded"
    if all(value is None for value in signs.values()):
        return "vital signs not recorded"
    return ", ".join(f"{name} {value or 'not recorded'}" for name, value in signs.items())


def pain_text(vitals: Vitals, pain_raw: str | None) -> str:
    """`pain 8/10`, the nurse's own word where it is no number (`pain "unable"`), or `pain not recorded`."""
    if vitals.pain is not None:
        return f"pain {vitals.pain:g}/10"
    return f'pain "{pain_raw}"' if pain_raw else "pain not recorded"


def age_text(age_years: float | None) -> str:
    """`67-year-old`, `4-month-old`, `9-day-old`, or an empty string where the age was not recorded."""
    if age_years is None:
        return ""
    if age_years >= 2:
        return f"{int(age_years)}-year-old"
    if age_years * 12 >= 1:
        return f"{int(age_years * 12)}-month-old"
    return f"{max(1, int(age_years * 365))}-day-old"


def _person(note: Note) -> str:
    who = (_CHILD if note.age_years is not None and note.age_years < 16 else _WHO)[note.sex]
    return f"{age_text(note.age_years)} {who}".strip()


def _sentence(text: str | None) -> str:
    return f" {text[0].upper()}{text[1:]}." if text else ""


def _prose(note: Note) -> str:
    person = _person(note)
    article = "An" if person[0] in "aeiou8" or person.startswith(("11-", "18-")) else "A"
    came = f" arrived {_ARRIVAL[note.arrival]}" if note.arrival else " arrived"
    why = f" with {note.chief_complaint}" if note.chief_complaint else ", chief complaint not recorded"
    history = _sentence(f"history of {note.history}" if note.history else None)
    measured = _sentence(vitals_text(note.vitals)) + _sentence(pain_text(note.vitals, note.pain_raw))
    return f"{article} {person}{came}{why}.{_sentence(note.clue)}{history}{measured}"


def _telegraphic(note: Note) -> str:
    age = age_text(note.age_years).replace("-year-old", " y/o").replace("-month-old", " mo").replace("-day-old", " d/o")
    parts = [
        " ".join(part for part in (age, note.sex or "") if part) or "age and sex not recorded",
        f"c/o {note.chief_complaint}" if note.chief_complaint else "complaint not recorded",
        note.clue,
        f"PMH {note.history}" if note.history else None,
        f"arrived {_ARRIVAL[note.arrival]}" if note.arrival else None,
    ]
    story = "; ".join(part for part in parts if part)
    return f"{story}. {vitals_text(note.vitals)}, {pain_text(note.vitals, note.pain_raw)}."


def _handoff(note: Note) -> str:
    came = f" brought in {_ARRIVAL[note.arrival]}" if note.arrival else ""
    complaint = note.chief_complaint or "not recorded"
    history = _sentence(f"known for {note.history}" if note.history else None)
    measured = f" Vitals: {vitals_text(note.vitals)}, {pain_text(note.vitals, note.pain_raw)}."
    return f"Hand-off: {_person(note)}{came}. Complaint: {complaint}.{_sentence(note.clue)}{history}{measured}"
