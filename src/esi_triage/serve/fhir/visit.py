"""A visit as a triage nurse could know it, read from FHIR R4 resources of three dialects (docs/cds-hooks-and-fhir.md).

Read are age, sex, how the patient came, the complaint and the vital signs; nothing else, and no acuity level that
somebody gave before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from ...data.narrative import age_text
from ...errors import InputError
from .measured import Measured, code_table, measured_in
from .resources import LOINC, Resource, codes_in, day, objects, of_type, refers_to, stated_times, text_in

_OVER = ("finished", "cancelled", "entered-in-error")
_NO_COMPLAINT = (
    "no chief complaint: send an Observation 8661-1 or 10154-3 (LOINC), or Encounter.reasonCode with a text."
)
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
    resources: Iterable[Resource],
    encounter: str | None = None,
    patient: str | None = None,
    today: date | None = None,
    by_patient: bool = False,
) -> Visit:
    """The visit in `resources`, those of one patient; `encounter` and `patient` are the ids that were asked about.

    `by_patient`: the Observations were asked for by patient, so one that names no encounter counts only where its time
    is known to lie in the visit. Raises NoComplaintError where the must-have is missing, and InputError for another
    patient's resource, several encounters without a word which, or a unit that is not known.
    """
    given = list(resources)
    who = _one_patient(given, patient)
    met = _one_encounter(given, encounter)
    patient = patient or (str(who["id"]) if who and who.get("id") else None)
    encounter = encounter or (str(met["id"]) if met and met.get("id") else None)
    began, found = _day_of(met, "period"), of_type(given, "Observation")
    _refuse_other_patients(found, patient)
    observations, unplaced = _of_visit(found, encounter, began, by_patient)
    complaints = _complaints(met, observations)
    if not complaints:
        raise NoComplaintError(" ".join([_NO_COMPLAINT, *(f"Left out: {said}." for said in unplaced)]))
    dropped = [f"Observation {code}" for one in observations for code in codes_in(one.get("code"), LOINC) & _acuity()]
    readings, left_out = measured_in(observations, retrospective=met is not None and met.get("status") in _OVER)
    on = began or today or datetime.now(UTC).date()
    return Visit(
        narrative=_narrative(f"{_person(who, on)}{_arrival(met)}", complaints, readings.get("pain")),
        vitals={name: one.value for name, one in readings.items() if one.value is not None},
        encounter=encounter,
        patient=patient,
        read_from=tuple(dict.fromkeys(one.source for one in readings.values() if one.source)),
        left_out=(*unplaced, *left_out),
        dropped=tuple(dict.fromkeys([*dropped, *(["Encounter.priority"] if met and met.get("priority") else [])])),
    )


def _acuity() -> set[str]:
    return set(code_table()["acuity"]["codes"])


def _one_patient(resources: list[Resource], wanted: str | None) -> Resource | None:
    found = of_type(resources, "Patient")
    ids = [one.get("id") for one in found]
    if not all(id is None or isinstance(id, str) for id in ids):
        raise InputError("Patient.id: is no text; send the id of the resource.")
    others = [id for id in ids if wanted and id and id != wanted]
    if others or len(set(ids)) > 1:
        raise InputError(f"Patient: resources of {len(found)} patients or of another patient; send those of one visit.")
    return found[0] if found else None


def _one_encounter(resources: list[Resource], wanted: str | None) -> Resource | None:
    found = [one for one in of_type(resources, "Encounter") if wanted is None or one.get("id") == wanted]
    emergency = [one for one in found if is_emergency(one)] or found
    if len(emergency) > 1:
        raise InputError(f"Encounter: {len(emergency)} encounters; send one, or name it in context.encounterId.")
    return emergency[0] if emergency else None


def is_emergency(encounter: Resource) -> bool:
    """Whether its class is EMER, as a Coding or a CodeableConcept (R5), or `emergency`, as DSTU2 writes it."""
    kind = encounter.get("class")
    codings = [coding for one in objects(kind) for coding in (one, *objects(one.get("coding")))]
    codes = [kind] if isinstance(kind, str) else [coding.get("code") for coding in codings]
    return any(code in ("EMER", "emergency") for code in codes)


def _refuse_other_patients(observations: list[Resource], patient: str | None) -> None:
    for subject in (one.get("subject") for one in observations):
        if patient and isinstance(subject, Mapping) and subject.get("reference") and not refers_to(subject, patient):
            raise InputError(
                "Observation.subject: names another patient than the one asked about; send those of one visit."
            )


def _of_visit(
    found: list[Resource], encounter: str | None, began: date | None, by_patient: bool
) -> tuple[list[Resource], list[str]]:
    """The Observations that count, and in words those of which nobody knows whether they are of this visit."""
    inside = [(one, _is_of_visit(one, encounter, began)) for one in found]
    unplaced = [one for one, known in inside if known is None and by_patient]
    words = "Observation names" if len(unplaced) == 1 else "Observations name"
    told = f"{len(unplaced)} {words} no encounter, and nothing says that the time lies in this visit"
    return [one for one, known in inside if known or (known is None and not by_patient)], [told] if unplaced else []


def _is_of_visit(observation: Resource, encounter: str | None, began: date | None) -> bool | None:
    """Whether an Observation is of this encounter; null where that is not known."""
    if encounter is None:
        return None
    if observation.get("encounter"):
        return refers_to(observation["encounter"], encounter)
    taken = _taken(observation)
    return None if began is None or taken is None else taken >= began


def _taken(observation: Resource) -> date | None:
    return next(filter(None, map(day, stated_times(observation))), None)


def _day_of(resource: Resource | None, key: str) -> date | None:
    """The day on which a Period starts."""
    period = resource.get(key) if resource else None
    return day(period.get("start")) if isinstance(period, Mapping) else None


def _complaints(met: Resource | None, observations: list[Resource]) -> list[str]:
    complaints = [said for one in observations if (said := _complaint(one))]
    return complaints + [said for key in ("reasonCode", "reason") if met and (said := text_in(met.get(key)))]


def _narrative(who: str, complaints: list[str], pain: Measured | None) -> str:
    told = "; ".join(dict.fromkeys(complaints)).rstrip(".")
    parts = [f"{who}.", f"Chief complaint: {told}."]
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
