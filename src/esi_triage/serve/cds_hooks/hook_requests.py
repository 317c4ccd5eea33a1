"""The two services, and a request to one of them as a visit. The client's FHIR server is never called."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..fhir import NoComplaintError, Visit, is_cut, is_emergency, read_visit, resources_in
from .refused import Refused

_TEXT = 200  # characters of an id or a hookInstance
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")  # FHIR R4, data type id
_OPEN = ("planned", "arrived", "triaged", "in-progress", "onleave")
_PATIENT = {"patient": "Patient/{{context.patientId}}", "encounter": "Encounter/{{context.encounterId}}"}
_WHAT = {
    "vitals": "category=vital-signs&_sort=-date&_count=50",
    "complaint": "code=8661-1,10154-3&_sort=-date&_count=10",
    "pain": "code=98137-3,72514-3&_sort=-date&_count=10",
}
_DESCRIPTION = (
    "Advises an Emergency Severity Index level (ESI, handbook v5) from complaint and vital signs, with its reasons. "
    "Research software, not a medical device: a person decides."
)


@dataclass(frozen=True, slots=True)
class Hook:
    """A service of the discovery: which hook calls it, what its context must hold, what it asks to be fetched."""

    hook: str
    needs: tuple[str, ...]
    prefetch: Mapping[str, str]


# Two ids, one for each hook: the public sandbox keeps services by their URL, and of two hooks at one URL the last wins.
SERVICES: dict[str, Hook] = {
    "esi-triage-start": Hook(
        "encounter-start",
        ("userId", "patientId", "encounterId"),
        _PATIENT | {key: f"Observation?encounter={{{{context.encounterId}}}}&{what}" for key, what in _WHAT.items()},
    ),
    # patient-view may come without an encounter, so what it asks for goes by patient and is sorted out here.
    "esi-triage-view": Hook(
        "patient-view",
        ("userId", "patientId"),
        _PATIENT
        | {"encounters": f"Encounter?patient={{{{context.patientId}}}}&status={','.join(_OPEN)}&_sort=-date&_count=5"}
        | {key: f"Observation?patient={{{{context.patientId}}}}&{what}" for key, what in _WHAT.items()},
    ),
}


def discovery() -> dict[str, Any]:
    """What `GET /cds-services` answers."""
    return {
        "services": [
            {
                "id": id,
                "hook": service.hook,
                "title": "ESI triage advice",
                "description": _DESCRIPTION,
                "usageRequirements": "A chief complaint or a triage narrative of an open emergency encounter.",
                "prefetch": dict(service.prefetch),
            }
            for id, service in SERVICES.items()
        ]
    }


def request_object(body: bytes) -> Mapping[str, Any]:
    """A request's body; Refused for what is no JSON object, for NaN and infinity, and for half a surrogate pair."""

    def no_constant(name: str) -> Any:
        raise ValueError(f"{name} is no JSON")

    def finite(digits: str) -> float:
        value = float(digits)
        return value if abs(value) != float("inf") else no_constant(digits[:20])

    try:
        read = json.loads(body, parse_constant=no_constant, parse_float=finite)
        json.dumps(read, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        said = "half a surrogate pair" if isinstance(error, UnicodeEncodeError) else type(error).__name__
        raise Refused(400, "structure", f"the body is no JSON that can be read ({said}).") from None
    if not isinstance(read, Mapping):
        raise Refused(400, "structure", "the body is no JSON object.")
    return read


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that can be answered: who asks about whom, and what was read of the visit."""

    instance: str
    user: str
    patient: str
    visit: Visit


def asked(id: str, body: Mapping[str, Any]) -> Asked:
    """The request `body` to the service `id`; Refused (400) where it breaks CDS Hooks, (412) where data are missing."""
    service = SERVICES[id]
    _required(body, ("hook", "hookInstance", "context"), "")
    if body["hook"] != service.hook:
        raise Refused(400, "value", f"hook: {id} answers {service.hook} only.")
    instance = _short_text(body["hookInstance"], "hookInstance")
    if body.get("fhirAuthorization") and not body.get("fhirServer"):
        raise Refused(400, "required", "fhirServer is missing; it goes with fhirAuthorization.")
    context = body["context"]
    if not isinstance(context, Mapping):
        raise Refused(400, "structure", "context is no object.")
    _required(context, service.needs, "context.")
    user = _short_text(context["userId"], "context.userId")
    patient, encounter = _id(context["patientId"], "patientId"), context.get("encounterId")
    encounter = None if encounter is None else _id(encounter, "encounterId")
    prefetch = body.get("prefetch")
    return Asked(
        instance, user, patient, _visit(service, prefetch if isinstance(prefetch, Mapping) else {}, patient, encounter)
    )


def _visit(service: Hook, prefetch: Mapping[str, Any], patient: str, encounter: str | None) -> Visit:
    fetched = {key: prefetch[key] for key in service.prefetch if prefetch.get(key) is not None}
    failed = [key for key, value in fetched.items() if _is_outcome(value)]
    cut = [key for key, value in fetched.items() if is_cut(value)]
    given = [resource for value in fetched.values() for resource in resources_in(value)]
    try:
        visit = read_visit(_of_visit(given, encounter), encounter, patient, by_patient=service.hook == "patient-view")
    except NoComplaintError as error:
        raise Refused(412, "required", f"{error} Send prefetch: {', '.join(service.prefetch)}.") from None
    notes = [f"prefetch {key}: the FHIR server answered with an error" for key in failed]
    notes += [f"prefetch {key}: only the first page was sent" for key in cut]
    return replace(visit, left_out=(*visit.left_out, *notes))


def _of_visit(given: list[Any], encounter: str | None) -> list[Any]:
    """Without a named encounter, the one open emergency encounter; what else was sent may be of an older visit."""
    unique = list(
        {(str(one.get("resourceType")), str(one.get("id") or place)): one for place, one in enumerate(given)}.values()
    )
    if encounter is not None:
        return unique
    others = [one for one in unique if one.get("resourceType") != "Encounter"]
    counted = [one for one in unique if one.get("resourceType") == "Encounter" and _is_open_emergency(one)]
    if not counted:
        raise Refused(
            412,
            "required",
            "no open encounter of class emergency: send context.encounterId, or prefetch encounters.",
        )
    return others + counted


def _is_open_emergency(encounter: Mapping[str, Any]) -> bool:
    """An encounter without a class may be one."""
    return encounter.get("status") in _OPEN and (not encounter.get("class") or is_emergency(encounter))


def _is_outcome(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("resourceType") == "OperationOutcome"


def _required(body: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    missing = [f"{where}{key}" for key in keys if body.get(key) in (None, "")]
    if missing:
        raise Refused(400, "required", f"{', '.join(missing)}: missing.")


def _short_text(value: Any, name: str) -> str:
    if not isinstance(value, str) or len(value) > _TEXT or not value.isprintable():
        raise Refused(400, "value", f"{name}: give a text of {_TEXT} characters at most.")
    return value


def _id(value: Any, name: str) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise Refused(400, "value", f"context.{name}: give the id of a FHIR resource (letters, digits, - and .).")
    return value
