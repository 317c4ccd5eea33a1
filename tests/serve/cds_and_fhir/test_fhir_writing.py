"""What is written as FHIR validates, and names the level by the codes of LOINC's answer list."""

import json

import pytest

from esi_triage.serve.decision_log import open_log
from esi_triage.serve.fhir import LEVEL_ANSWERS, audit_event, level_observation, log_exports, provenance

fhir = pytest.importorskip(
    "fhir.resources.R4B", reason="fhir.resources checks what is written; it is in the test extra"
)
RECORD = "7a9e1c0e-2f4b-4c39-9d1e-1b2c3d4e5f60"


def valid(resource):
    """`resource` as fhir.resources reads it; it refuses unknown keys and missing ones."""
    module = __import__(f"fhir.resources.R4B.{resource['resourceType'].lower()}", fromlist=["x"])
    read = getattr(module, resource["resourceType"]).model_validate(resource)
    assert json.loads(read.model_dump_json()).keys() == resource.keys()
    return read


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_a_level_is_a_preliminary_observation(level):
    made = level_observation(level, "p1", "e1", "2026-03-02T08:00:00+00:00", RECORD, "guard", ["Observation/h"])
    read = valid(made)
    assert read.status == "preliminary"
    assert read.code.coding[0].code == "75636-1"
    assert read.valueCodeableConcept.coding[0].code == LEVEL_ANSWERS[level][0]
    assert "v5" in read.method.text
    assert "id" not in made
    bare = level_observation(level, "p1", None, "2026-03-02T08:00:00+00:00", RECORD, "rules")
    assert not {"encounter", "derivedFrom"} & valid(bare).model_dump().keys()


def test_the_answer_list_is_loincs():
    assert [LEVEL_ANSWERS[level][0] for level in range(1, 6)] == [
        "LA21567-5",
        "LA21752-3",
        "LA21753-1",
        "LA21754-9",
        "LA21755-6",
    ]


def test_rows_of_the_log_are_valid_audit_events_and_provenance(tmp_path):
    log = open_log(tmp_path / "decisions.db")
    advice = log.append("advice", {"level": 2, "model": {"name": "guard", "version": "0.1.0"}}, text="chest pain")
    rows = [
        advice,
        log.append("advice", {"level": None}),
        log.append("decision", {"level": 3, "actor": "nurse 7"}, previous=advice.id),
        log.append("feedback", {"outcome": "overridden"}, previous=advice.id),
        log.erase_text(advice.id),
    ]
    log.close()
    for row in rows:
        event, origin = valid(audit_event(row)), valid(provenance(row))
        assert event.entity[0].what.identifier.value == f"urn:uuid:{row.id}"
        assert row.hash in [detail.valueString for detail in event.entity[0].detail]
        assert sum(agent.requestor for agent in event.agent) == 1
        assert origin.target[0].identifier.value == f"urn:uuid:{row.id}"
    assert valid(audit_event(rows[2])).agent[0].who.display == "nurse 7"
    assert valid(provenance(rows[2])).entity[0].what.identifier.value == f"urn:uuid:{advice.id}"
    assert set(log_exports()) == {"jsonl", "AuditEvent", "Provenance"}
    json.dumps(log_exports()["jsonl"](advice))
