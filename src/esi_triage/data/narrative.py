"""From the fields of a visit to the text that a model reads.

Only what a triage nurse could know enters: `Note` is the allow-list. What was not recorded is said, never invented.
Each style has several wordings of the same facts; a whole number, the variant, chooses among them.

A template is the narrative of a note whose facts are placeholders. It depends on the style, the variant and on which
facts there are, so that a table needs few templates, and filling them in is most of the work (`render_rows`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from ..esi import Arrival, Sex, Vitals

STYLES = ("prose", "telegraphic", "handoff")
# After so many variants a style repeats itself: the product of the numbers of options in its wordings.
_PERIODS = {"prose": 4 * 2 * 4 * 3, "telegraphic": 3 * 2 * 2 * 3 * 4 * 3, "handoff": 2 * 3 * 3 * 3}


@dataclass(frozen=True, slots=True)
class Note:
    """What may be told. `clue` is what can be seen or heard of the patient now, `history` what is past.

    `circumstances` is how the patient lives and came: from a nursing home, transferred, seen here two days ago.
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
    circumstances: str | None = None


_SIGNS = tuple(Vitals.model_fields)
_FACTS = tuple(name for name in Note.__dataclass_fields__ if name != "vitals")


class _Told(NamedTuple):
    """Which facts a note has: all that a template depends on, beside its style and variant."""

    complaint: bool
    arrival: Arrival | None
    circumstances: bool
    clue: bool
    history: bool
    pain: bool
    pain_raw: bool
    sbp: bool
    dbp: bool
    heart_rate: bool
    resp_rate: bool
    spo2: bool
    temperature: bool


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
    if style not in STYLES:
        raise ValueError(f"style must be one of {STYLES}, not {style!r}")
    facts = (getattr(note, name) for name in _FACTS)
    return _filled(style, variant, *facts, *(getattr(note.vitals, name) for name in _SIGNS))


def render_rows(columns: Mapping[str, Sequence[Any]], drawn: Iterable[tuple[str, int]]) -> Iterator[str]:
    """The narratives of a table's rows, as `render` tells them: columns by the names of `Note` and `Vitals`.

    A column that the table lacks was not recorded. `drawn` holds each row's style and variant.
    """
    n = len(next(iter(columns.values())))
    rows = zip(*(columns.get(name) or [None] * n for name in (*_FACTS, *_SIGNS)), strict=True)
    return (_filled(style, variant, *row) for (style, variant), row in zip(drawn, rows, strict=True))


def _filled(
    style: str,
    variant: int,
    complaint: str | None,
    age_years: float | None,
    sex: Sex | None,
    arrival: Arrival | None,
    pain_raw: str | None,
    clue: str | None,
    history: str | None,
    over_age: int | None,
    circumstances: str | None,
    temperature_c: float | None,
    heart_rate: float | None,
    resp_rate: float | None,
    spo2: float | None,
    sbp: float | None,
    dbp: float | None,
    pain: float | None,
) -> str:
    """The narrative of these facts; in the order of `_FACTS` and `_SIGNS`."""
    told = (
        *(bool(complaint), arrival, bool(circumstances), bool(clue), bool(history), pain is not None, bool(pain_raw)),
        *(sbp is not None, dbp is not None, heart_rate is not None, resp_rate is not None, spo2 is not None),
        temperature_c is not None,
    )
    return _template(style, variant % _PERIODS[style], told).format(
        complaint=complaint,
        person=_person(style, age_years, sex, over_age),
        circumstances=circumstances,
        clue=clue,
        Circumstances=circumstances and circumstances[0].upper() + circumstances[1:],
        Clue=clue and clue[0].upper() + clue[1:],
        history=history,
        pain=pain,
        pain_raw=pain_raw,
        sbp=sbp,
        dbp=dbp,
        heart_rate=heart_rate,
        resp_rate=resp_rate,
        spo2=spo2,
        temperature_c=temperature_c,
        temperature_f=temperature_c is not None and temperature_c * 1.8 + 32,
    )


@lru_cache(maxsize=2**15)
def _template(style: str, variant: int, told: tuple[Any, ...]) -> str:
    """The narrative in which placeholders of `str.format` stand for the facts."""
    choose = _chooser(variant)
    return {"prose": _prose, "telegraphic": _telegraphic, "handoff": _handoff}[style](_Told(*told), choose)


def vitals_text(vitals: Vitals) -> str:
    """The six measured signs in a fixed order with units, e.g. `BP 88/60, HR 118, RR 24, SpO2 91 %, T not recorded`."""
    found = vitals.model_dump()
    names = ("sbp", "dbp", "heart_rate", "resp_rate", "spo2", "temperature_c")
    recorded = (found[name] is not None for name in names)
    return _signs(_Told(*_NOTHING[:-6], *recorded), _PLAIN).format(**found)


def pain_text(vitals: Vitals, pain_raw: str | None) -> str:
    """`pain 8/10`, the nurse's own word where it is no number (`pain "unable"`), or `pain not recorded`."""
    told = _NOTHING._replace(pain=vitals.pain is not None, pain_raw=bool(pain_raw))
    return _pain(told, lambda options: options[0]).format(pain=vitals.pain, pain_raw=pain_raw)


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


_NOTHING = _Told(False, None, *[False] * 11)


def _signs(told: _Told, written: Signs) -> str:
    values = _values(told, written.fahrenheit)
    if not any(values):
        return "vital signs not recorded"
    named = list(zip(written.names, values, strict=True))
    if not written.gathered:
        return written.before + ", ".join(f"{name} {value or 'not recorded'}" for name, value in named)
    recorded = written.before + ", ".join([f"{name} {value}" for name, value in named if value])
    missing = [name for name, value in named if not value]
    return f"{recorded}; {', '.join(missing)} not recorded" if missing else recorded


def _values(told: _Told, fahrenheit: bool) -> tuple[str | None, ...]:
    """Pressure, heart rate, breathing, oxygen and temperature in figures; null where nothing was recorded."""
    pressure = temperature = None
    if told.sbp:
        pressure = "{sbp:.0f}/{dbp:.0f}" if told.dbp else "{sbp:.0f} (diastolic not recorded)"
    if told.temperature:
        temperature = "{temperature_f:.1f} °F" if fahrenheit else "{temperature_c:.1f} °C"
    return (
        pressure,
        "{heart_rate:.0f}" if told.heart_rate else None,
        "{resp_rate:.0f}" if told.resp_rate else None,
        "{spo2:.0f} %" if told.spo2 else None,
        temperature,
    )


@lru_cache(maxsize=2**12)
def _person(style: str, age_years: float | None, sex: Sex | None, over_age: int | None) -> str:
    """`67-year-old woman`; in prose with its article, in a telegraphic note in short."""
    if style == "telegraphic":
        return _short_person(age_years, sex, over_age)
    who = (_CHILD if age_years is not None and age_years < 16 else _WHO)[sex]
    person = f"{who} over {over_age} years old" if over_age is not None else f"{age_text(age_years)} {who}".strip()
    if style == "prose":
        return f"{'An' if person[0] in 'aeiou8' or person.startswith(('11-', '18-')) else 'A'} {person}"
    return person


def _short_person(age_years: float | None, sex: Sex | None, over_age: int | None) -> str:
    age = f"over {over_age}-year-old" if over_age is not None else age_text(age_years)
    age = age.replace("-year-old", " y/o").replace("-month-old", " mo").replace("-day-old", " d/o")
    return " ".join(part for part in (age, sex or "") if part) or "age and sex not recorded"


def _sentence(text: str) -> str:
    return f" {text[0].upper()}{text[1:]}." if text else ""


def _pain(told: _Told, choose: Choose) -> str:
    if told.pain:
        return choose(("pain {pain:g}/10", "rates pain {pain:g} out of 10", "pain rated {pain:g}/10"))
    if told.pain_raw:
        return choose(('pain "{pain_raw}"', 'pain charted as "{pain_raw}"', 'pain score: "{pain_raw}"'))
    return choose(("pain not recorded", "pain score not recorded", "pain not recorded"))


def _prose(told: _Told, choose: Choose) -> str:
    by = f" {_ARRIVAL[told.arrival]}" if told.arrival else ""
    came = f" arrived{by}"
    why = " with {complaint}" if told.complaint else ", chief complaint not recorded"
    opening = choose(
        (
            f"{{person}}{came}{why}.",
            f"{{person}} presents{by}{why}.",
            f"{{person}}{came} and is seen at triage{' for {complaint}' if told.complaint else why}.",
            f"Chief complaint: {'{complaint}' if told.complaint else 'not recorded'}. "
            f"{{person}} at triage{f', came{by}' if by else ''}.",
        )
    )
    seen = f"{' {Circumstances}.' if told.circumstances else ''}{' {Clue}.' if told.clue else ''}"
    history = choose((" History of {history}.", " Past history: {history}.")) if told.history else ""
    signs = _signs(told, choose(_PROSE_SIGNS))
    return f"{opening}{seen}{history}{_sentence(signs)}{_sentence(_pain(told, choose))}"


def _telegraphic(told: _Told, choose: Choose) -> str:
    parts = [
        "{person}",
        choose(("c/o {complaint}", "cc {complaint}", "here for {complaint}"))
        if told.complaint
        else "complaint not recorded",
        "{circumstances}" if told.circumstances else None,
        "{clue}" if told.clue else None,
        choose(("PMH {history}", "h/o {history}")) if told.history else None,
        choose((f"arrived {_ARRIVAL[told.arrival]}", _SHORT_ARRIVAL[told.arrival])) if told.arrival else None,
    ]
    story = choose(("; ", ", ", ". ")).join(part for part in parts if part)
    signs = _signs(told, choose(_TELEGRAPHIC_SIGNS))
    return f"{story}. {signs}, {_pain(told, choose)}."


def _handoff(told: _Told, choose: Choose) -> str:
    complaint = "{complaint}" if told.complaint else "not recorded"
    came = f" brought in {_ARRIVAL[told.arrival]}" if told.arrival else ""
    by = f", {'walked in' if told.arrival == 'walk-in' else f'came {_ARRIVAL[told.arrival]}'}" if told.arrival else ""
    context, clue = " {Circumstances}." if told.circumstances else "", " {Clue}." if told.clue else ""
    history = choose((" Known for {history}.", " History of {history}.")) if told.history else ""
    signs = _signs(told, choose(_HANDOFF_SIGNS))
    measured = f"{signs}, {_pain(told, choose)}."
    return choose(
        (
            f"Hand-off: {{person}}{came}. Complaint: {complaint}.{context}{clue}{history} Vitals: {measured}",
            f"Report: {{person}}{by}; complaint: {complaint}.{context}{clue}{history} Last vitals: {measured}",
            f"Situation: {complaint}.{clue} Background: {{person}}{by}.{context}{history} Assessment: {measured}",
        )
    )
