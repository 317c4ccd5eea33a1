"""A visit as a triage nurse could know it, read from FHIR R4 resources of three dialects (docs/cds-hooks-and-fhir.md).

Read are age, sex, how the patient came, the complaint and the vital signs; nothing else, and no acuity level that
somebody gave before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from ...data.narrative import age_text
from ...errors import InputError
from .measured import Measured, code_table, measured_in
from .resources import LOINC, Resource, codes_in, day, objects, of_type, refers_to, text_in

_OVER = ("finished", "cancelled", "entered-in-error")
_WHO = {"female": ("girl", "woman"), "male": ("boy", "man")}


class NoComplaintError(InputError):
    """Neither a chief complaint nor a triage narrative is there: without one there is nothing to advise on."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What was read. `vitals` by the names and in the units of `esi.VITAL_SIGNS`; what was not recorded is absent.

    `read_from` are the Observations of the vital signs; `left_out` says in words what was not read, and why; `dropped`
    names acuity levels that were there and must not be seen.
    """

    narrative: str
    vitals: Mapping[str, float]
    encounter: str | None
    patient: str | None
    read_from: tuple[str, ...]
    left_out: tuple[str, ...]
    dropped: tuple[str, ...]


def read_visit(
    resources: Iterable[Resource], encounter: str | None = None, patient: str | None = None, today: date | None = None
) -> Visit:
    """The visit in `resources`, those of one patient; `encounter` and `patient` are the ids that were asked about.

    Raises NoComplaintError where the must-have is missing, and InputError for another patient's resource, several
    encounters without a word which, or a unit that is not known.
    """
    given = list(resources)
    who = _one_patient(given, patient)
    met = _one_encounter(given, encounter)
    patient = patient or (str(who["id"]) if who and who.get("id") else None)
    observations = [one for one in of_type(given, "Observation") if _belongs(one, met, encounter, patient)]
    dropped = [f"Observation {code}" for one in observations for code in codes_in(one.get("code"), LOINC) & _acuity()]
    readings, left_out = measured_in(observations, retrospective=met is not None and met.get("status") in _OVER)
    narrative = _narrative(who, met, observations, readings.get("pain"), today or datetime.now(UTC).date())
    return Visit(
        narrative=narrative,
        vitals={name: one.value for name, one in readings.items() if one.value is not None},
        encounter=encounter or (str(met["id"]) if met and met.get("id") else None),
        patient=patient,
        read_from=tuple(dict.fromkeys(one.source for one in readings.values() if one.source)),
        left_out=left_out,
        dropped=tuple(dict.fromkeys([*dropped, *(["Encounter.priority"] if met and met.get("priority") else [])])),
    )


def _acuity() -> set[str]:
    return set(code_table()["acuity"]["codes"])


def _one_patient(resources: list[Resource], wanted: str | None) -> Resource | None:
    found = of_type(resources, "Patient")
    others = [one for one in found if wanted and one.get("id") and one["id"] != wanted]
    if others or len({one.get("id") for one in found}) > 1:
        raise InputError(f"Patient: resources of {len(found)} patients or of another patient; send those of one visit.")
    return found[0] if found else None


def _one_encounter(resources: list[Resource], wanted: str | None) -> Resource | None:
    found = [one for one in of_type(resources, "Encounter") if wanted is None or one.get("id") == wanted]
    emergency = [one for one in found if _is_emergency(one)] or found
    if len(emergency) > 1:
        raise InputError(f"Encounter: {len(emergency)} encounters; send one, or name it in context.encounterId.")
    return emergency[0] if emergency else None


def _is_emergency(encounter: Resource) -> bool:
    """Class EMER as a Coding, or `emergency` as DSTU2 writes it."""
    kind = encounter.get("class")
    codes = [kind] if isinstance(kind, str) else [str(one.get("code")) for one in objects(kind)]
    return any(code in ("EMER", "emergency") for code in codes)


def _belongs(observation: Resource, met: Resource | None, wanted: str | None, patient: str | None) -> bool:
    """Whether an Observation is of this patient (else InputError) and of this encounter (else it is an older one)."""
    subject = observation.get("subject")
    if patient and isinstance(subject, Mapping) and subject.get("reference") and not refers_to(subject, patient):
        raise InputError(
            "Observation.subject: names another patient than the one asked about; send those of one visit."
        )
    encounter = wanted or (str(met["id"]) if met and met.get("id") else None)
    if encounter is None:
        return True
    if observation.get("encounter"):
        return refers_to(observation["encounter"], encounter)
    began = day(_start(met))
    taken = day(observation.get("effectiveDateTime"))
    return began is None or taken is None or taken >= began


def _start(encounter: Resource | None) -> Any:
    period = encounter.get("period") if encounter else None
    return period.get("start") if isinstance(period, Mapping) else None


def _narrative(
    who: Resource | None, met: Resource | None, observations: list[Resource], pain: Measured | None, today: date
) -> str:
    complaints = [said for one in observations if (said := _complaint(one))]
    complaints += [said for key in ("reasonCode", "reason") if met and (said := text_in(met.get(key)))]
    if not complaints:
        raise NoComplaintError(
            "no chief complaint: send an Observation 8661-1 or 10154-3 (LOINC), or Encounter.reasonCode with a text."
        )
    told = "; ".join(dict.fromkeys(complaints)).rstrip(".")
    parts = [f"{_person(who, day(_start(met)) or today)}{_arrival(met)}.", f"Chief complaint: {told}."]
    return " ".join([*parts, f'Pain charted as "{pain.said}".'] if pain and pain.said else parts)


def _complaint(observation: Resource) -> str | None:
    if not codes_in(observation.get("code"), LOINC) & set(code_table()["complaint"]["codes"]):
        return None
    said = observation.get("valueString") or text_in(observation.get("valueCodeableConcept"))
    return " ".join(said.split()) if isinstance(said, str) and said.strip() else None


def _person(who: Resource | None, on: date) -> str:
    born = day(who.get("birthDate")) if who else None
    years = _years(born, on) if born and born <= on else None
    child, adult = _WHO.get(str(who.get("gender")) if who else "", ("child", "patient"))
    words = f"{age_text(years)} {child if years is not None and years < 16 else adult}".strip()
    return words[0].upper() + words[1:]


def _years(born: date, on: date) -> float:
    """Whole years by the calendar; below two years, days of a year of 365, as `age_text` counts them."""
    whole = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    return float(whole) if whole >= 2 else ((on - born).days + 0.1) / 365


def _arrival(met: Resource | None) -> str:
    stay = met.get("hospitalization") if met else None
    if not isinstance(stay, Mapping):
        return ""
    concepts = [stay.get("admitSource"), *(one.get("valueCodeableConcept") for one in objects(stay.get("extension")))]
    for coding in [coding for concept in concepts for one in objects(concept) for coding in objects(one.get("coding"))]:
        words = code_table()["arrival"].get(f"{str(coding.get('system')).rsplit('/', 1)[-1]}#{coding.get('code')}")
        if words:
            return f", came {words}"
    return ""
