"""An ESI level as a FHIR R4 Observation (LOINC 75636-1, answer list LL3056-0)."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from .resources import LOINC

ESI_CODE = {"system": LOINC, "code": "75636-1", "display": "Emergency severity index [ESI]"}

# cdn.loinc.org/LL3056-0; the list is that of handbook version 4, whose levels version 5 keeps.
LEVEL_ANSWERS: dict[int, tuple[str, str]] = {
    1: ("LA21567-5", "Requires immediate life-saving intervention"),
    2: ("LA21752-3", "High risk or confused/lethargic/disoriented or severe pain/distress"),
    3: ("LA21753-1", "Needs 2 or more resources"),
    4: ("LA21754-9", "Needs 1 resource"),
    5: ("LA21755-6", "Needs no resources"),
}


def level_observation(
    level: int,
    patient: str,
    encounter: str | None,
    time: str,
    record: str,
    model: str,
    read_from: Sequence[str] = (),
) -> dict[str, Any]:
    """The level (1 to 5) as a preliminary Observation, without an id: the server that stores it gives one.

    `patient` and `encounter` are ids on the sender's server, `time` ISO with a zone, `record` the row of the decision
    log, `read_from` references to the vital signs that were read.
    """
    code, display = LEVEL_ANSWERS[level]
    observation: dict[str, Any] = {
        "resourceType": "Observation",
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{record}"}],
        "status": "preliminary",
        "code": {"coding": [ESI_CODE], "text": "Emergency Severity Index"},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": time,
        "valueCodeableConcept": {
            "coding": [{"system": LOINC, "code": code, "display": display}],
            "text": f"ESI {level}",
        },
        "method": {"text": "Emergency Severity Index, handbook v5"},
        "device": {"display": f"esi-triage {version('esi-triage')}, model {model}"},
    }
    if encounter:
        observation["encounter"] = {"reference": f"Encounter/{encounter}"}
    if read_from:
        observation["derivedFrom"] = [{"reference": reference} for reference in read_from]
    return observation
