"""Rows of the decision log as FHIR R4 AuditEvent and Provenance. Exports only: the log itself stays the record."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from ..decision_log import Record

_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_RFC_3986 = "urn:ietf:rfc:3986"
_SAYS = {
    "advice": "Triage advice given",
    "decision": "Triage level chosen by a person",
    "feedback": "Answer to a triage advice",
    "erasure": "Text of a record erased",
}
# http://hl7.org/fhir/R4/valueset-audit-event-action: execute, create, delete
_ACTION = {"advice": "E", "decision": "C", "feedback": "C", "erasure": "D"}


def log_exports() -> Mapping[str, Callable[[Record], dict[str, Any]]]:
    """The forms in which the log is exported: name -> a function from a row to plain JSON."""
    return {"jsonl": asdict, "AuditEvent": audit_event, "Provenance": provenance}


def audit_event(record: Record) -> dict[str, Any]:
    """That it happened, when, by whom and with which hash (in `entity.detail`)."""
    person = record.body.get("actor")
    agents = [{"who": {"display": str(person)}, "requestor": True}] if person else []
    details = {"hash": record.hash, "prior-hash": record.prior_hash, "sequence": str(record.sequence)}
    if record.body.get("level"):
        details["level"] = str(record.body["level"])
    return {
        "resourceType": "AuditEvent",
        "type": {"system": _DICOM, "code": "110100", "display": "Application Activity"},
        "subtype": [{"code": record.kind, "display": _SAYS[record.kind]}],
        "action": _ACTION[record.kind],
        "recorded": record.time,
        "outcome": "0",
        "agent": [*agents, {"who": {"display": _software(record)}, "requestor": not agents}],
        "source": {"observer": {"display": "esi-triage decision log"}},
        "entity": [
            {
                "what": {"identifier": _identifier(record.id)},
                "detail": [{"type": name, "valueString": value} for name, value in details.items()],
            }
        ],
    }


def provenance(record: Record) -> dict[str, Any]:
    """Where a record comes from: who made it, with what, and from which earlier record."""
    person = record.body.get("actor")
    agent = {"type": _role("author"), "who": {"display": str(person)}} if person else None
    made: dict[str, Any] = {
        "resourceType": "Provenance",
        "target": [{"identifier": _identifier(record.id)}],
        "recorded": record.time,
        "activity": {"text": _SAYS[record.kind]},
        "agent": [*([agent] if agent else []), {"type": _role("assembler"), "who": {"display": _software(record)}}],
    }
    if record.previous:
        made["entity"] = [{"role": "source", "what": {"identifier": _identifier(record.previous)}}]
    return made


def _software(record: Record) -> str:
    model = record.body.get("model")
    named = model.get("name") if isinstance(model, Mapping) else model
    used = model.get("version") if isinstance(model, Mapping) else None
    return f"esi-triage {used or version('esi-triage')}" + (f", model {named}" if named else "")


def _identifier(id: str) -> dict[str, str]:
    return {"system": _RFC_3986, "value": f"urn:uuid:{id}"}


def _role(code: str) -> dict[str, Any]:
    system = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
    return {"coding": [{"system": system, "code": code, "display": code.capitalize()}]}
