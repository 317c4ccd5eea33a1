"""From the fields of a visit to the text that a model reads.

Only what a triage nurse could know enters: `Note` is the allow-list. What was not recorded is said, never invented.
Each style has several wordings of the same facts; a whole number, the variant, chooses among them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..esi import Arrival, Sex, Vitals

STYLES = ("prose", "telegraphic", "handoff")


@dataclass(frozen=True, slots=True)
class Note:
    """What may be told. `clue` is what can be seen or heard of the patient now, `history` what is past.

    `over_age` is a lower bound in years, told in place of `age_years` where the exact age is withheld.
    """

    chief_complaint: str | None = None
    age_years: float | None = None
    sex: Sex | None = None
    arrival: Arrival | None = None
    vitals: Vitals = field(default_factory=Vitals)
    pain_raw: str | None = None
    clue: str | None = None
    history: str | None = None
    over_age: int | None = None


class Signs(NamedTuple):
    """How vital signs are written: their five names, and whether what was not recorded is gathered at the end."""

    names: tuple[str, str, str, str, str]
    gathered: bool = True
    fahrenheit: bool = False
    before: str = ""


Choose = Callable[[Sequence[Any]], Any]

_WHO = {"F": "woman", "M": "man", None: "patient"}
_CHILD = {"F": "girl", "M": "boy", None: "child"}
_ARRIVAL = {"walk-in": "on foot", "ambulance": "by ambulance", "helicopter": "by helicopter", "other": "by other means"}
_SHORT_ARRIVAL = {"walk-in": "walk-in", "ambulance": "BIBA", "helicopter": "by helicopter", "other": "by other means"}
# The names of pressure, heart rate, breathing, oxygen and temperature.
_SHORT = ("BP", "HR", "RR", "SpO2", "T")
_LONG = ("blood pressure", "heart rate", "respirations", "oxygen saturation", "temperature")
_CHARTED = ("BP", "P", "R", "O2 sat", "temp")
_PLAIN = Signs(_SHORT, gathered=False)
_PROSE_SIGNS = (
    _PLAIN,
    Signs(_LONG),
    Signs(_LONG, fahrenheit=True),
    Signs(_SHORT, fahrenheit=True, before="at triage, "),
)
_TELEGRAPHIC_SIGNS = (
    _PLAIN,
    Signs(_SHORT, before="VS "),
    Signs(_CHARTED, fahrenheit=True, before="VS: "),
    Signs(_CHARTED, fahrenheit=True),
)
_HANDOFF_SIGNS = (_PLAIN, Signs(_SHORT, fahrenheit=True), Signs(_LONG))


def render(note: Note, style: str, variant: int = 0) -> str:
    """The narrative in one of `STYLES`: a nurse's prose, a telegraphic note, or a hand-off.

    `variant` >= 0 picks the wording: every whole number is a valid choice, a random one below 2**32 reaches all. The
    facts are the same in each.
    """
    choose = _chooser(variant)
    if style == "prose":
        return _prose(note, choose)
    if style == "telegraphic":
        return _telegraphic(note, choose)
    if style == "handoff":
        return _handoff(note, choose)
    raise ValueError(f"style must be one of {STYLES}, not {style!r}")


def vitals_text(vitals: Vitals) -> str:
    """The six measured signs in a fixed order with units, e.g. `BP 88/60, HR 118, RR 24, SpO2 91 %, T not recorded`."""
    return _signs(vitals, _PLAIN)


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


def _chooser(variant: int) -> Choose:
    """Reads `variant` as a number whose digits are the choices, each in the base of its options; 0 is always first."""

    def choose(options: Sequence[Any]) -> Any:
        nonlocal variant
        variant, place = divmod(variant, len(options))
        return options[place]

    return choose


def _signs(vitals: Vitals, written: Signs) -> str:
    values = _values(vitals, written.fahrenheit)
    if not any(values):
        return "vital signs not recorded"
    named = list(zip(written.names, values, strict=True))
    if not written.gathered:
        return written.before + ", ".join(f"{name} {value or 'not recorded'}" for name, value in named)
    told = written.before + ", ".join([f"{name} {value}" for name, value in named if value])
    lacking = [name for name, value in named if not value]
    return f"{told}; {', '.join(lacking)} not recorded" if lacking else told


def _values(v: Vitals, fahrenheit: bool) -> tuple[str | None, ...]:
    """Pressure, heart rate, breathing, oxygen and temperature in figures; null where nothing was recorded."""
    pressure = temperature = None
    if v.sbp is not None:
        pressure = f"{v.sbp:.0f}/{v.dbp:.0f}" if v.dbp is not None else f"{v.sbp:.0f} (diastolic not recorded)"
    if v.temperature_c is not None:
        temperature = f"{v.temperature_c * 1.8 + 32:.1f} °F" if fahrenheit else f"{v.temperature_c:.1f} °C"
    return (
        pressure,
        f"{v.heart_rate:.0f}" if v.heart_rate is not None else None,
        f"{v.resp_rate:.0f}" if v.resp_rate is not None else None,
        f"{v.spo2:.0f} %" if v.spo2 is not None else None,
        temperature,
    )


def _person(note: Note) -> str:
    who = (_CHILD if note.age_years is not None and note.age_years < 16 else _WHO)[note.sex]
    if note.over_age is not None:
        return f"{who} over {note.over_age} years old"
    return f"{age_text(note.age_years)} {who}".strip()


def _short_person(note: Note) -> str:
    age = f"over {note.over_age}-year-old" if note.over_age is not None else age_text(note.age_years)
    age = age.replace("-year-old", " y/o").replace("-month-old", " mo").replace("-day-old", " d/o")
    return " ".join(part for part in (age, note.sex or "") if part) or "age and sex not recorded"


def _sentence(text: str | None) -> str:
    return f" {text[0].upper()}{text[1:]}." if text else ""


def _pain(note: Note, choose: Choose) -> str:
    plain = pain_text(note.vitals, note.pain_raw)
    if note.vitals.pain is not None:
        return choose((plain, f"rates pain {note.vitals.pain:g} out of 10", f"pain rated {note.vitals.pain:g}/10"))
    if note.pain_raw:
        return choose((plain, f'pain charted as "{note.pain_raw}"', f'pain score: "{note.pain_raw}"'))
    return choose((plain, "pain score not recorded", "pain not recorded"))


def _prose(note: Note, choose: Choose) -> str:
    person = _person(note)
    a_person = f"{'An' if person[0] in 'aeiou8' or person.startswith(('11-', '18-')) else 'A'} {person}"
    by = f" {_ARRIVAL[note.arrival]}" if note.arrival else ""
    came = f" arrived{by}"
    complaint = note.chief_complaint
    why = f" with {complaint}" if complaint else ", chief complaint not recorded"
    opening = choose(
        (
            f"{a_person}{came}{why}.",
            f"{a_person} presents{by}{why}.",
            f"{a_person}{came} and is seen at triage{f' for {complaint}' if complaint else why}.",
            f"Chief complaint: {complaint or 'not recorded'}. {a_person} at triage{f', came{by}' if by else ''}.",
        )
    )
    history = _sentence(choose((f"history of {note.history}", f"past history: {note.history}")) if note.history else "")
    signs = _signs(note.vitals, choose(_PROSE_SIGNS))
    return f"{opening}{_sentence(note.clue)}{history}{_sentence(signs)}{_sentence(_pain(note, choose))}"


def _telegraphic(note: Note, choose: Choose) -> str:
    complaint = note.chief_complaint
    parts = [
        _short_person(note),
        choose((f"c/o {complaint}", f"cc {complaint}", f"here for {complaint}"))
        if complaint
        else "complaint not recorded",
        note.clue,
        choose((f"PMH {note.history}", f"h/o {note.history}")) if note.history else None,
        choose((f"arrived {_ARRIVAL[note.arrival]}", _SHORT_ARRIVAL[note.arrival])) if note.arrival else None,
    ]
    story = choose(("; ", ", ", ". ")).join(part for part in parts if part)
    signs = _signs(note.vitals, choose(_TELEGRAPHIC_SIGNS))
    return f"{story}. {signs}, {_pain(note, choose)}."


def _handoff(note: Note, choose: Choose) -> str:
    person, complaint = _person(note), note.chief_complaint or "not recorded"
    came = f" brought in {_ARRIVAL[note.arrival]}" if note.arrival else ""
    by = f", {'walked in' if note.arrival == 'walk-in' else f'came {_ARRIVAL[note.arrival]}'}" if note.arrival else ""
    history = _sentence(choose((f"known for {note.history}", f"history of {note.history}")) if note.history else "")
    signs = _signs(note.vitals, choose(_HANDOFF_SIGNS))
    measured = f"{signs}, {_pain(note, choose)}."
    return choose(
        (
            f"Hand-off: {person}{came}. Complaint: {complaint}.{_sentence(note.clue)}{history} Vitals: {measured}",
            f"Report: {person}{by}; complaint: {complaint}.{_sentence(note.clue)}{history} Last vitals: {measured}",
            f"Situation: {complaint}.{_sentence(note.clue)} Background: {person}{by}.{history} Assessment: {measured}",
        )
    )
