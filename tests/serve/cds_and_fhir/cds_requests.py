"""Requests of CDS Hooks that are right, and what every refusal and every card must be."""

from fastapi import FastAPI
from fastapi.testclient import TestClient
from fhir_bundles import bundle, mimic

from esi_triage.serve.cds_hooks import CdsSettings, router

SANDBOX = "https://sandbox.cds-hooks.org"


def client_of(service, cds: CdsSettings | None = None) -> TestClient:
    app = FastAPI()
    app.include_router(router(service, cds))
    return TestClient(app, raise_server_exceptions=False)


def request(value=None, id="esi-triage-start", **changes):
    """A request that is right, of a client that prefetched the MIMIC bundle."""
    resources = [entry["resource"] for entry in (value or mimic())["entry"]]
    found = {kind: [one for one in resources if one["resourceType"] == kind] for kind in ("Patient", "Encounter")}
    patient, encounter = found["Patient"][0], found["Encounter"][0]
    given = {
        "hook": {"esi-triage-start": "encounter-start", "esi-triage-view": "patient-view"}[id],
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/9", "patientId": patient["id"], "encounterId": encounter["id"]},
        "prefetch": {
            "patient": patient,
            "encounter": encounter,
            "vitals": bundle(*(one for one in resources if one["resourceType"] == "Observation")),
        },
    }
    return {key: value for key, value in (given | changes).items() if value is not ...}


def card_of(client, sent=None, id="esi-triage-start"):
    answer = client.post(f"/cds-services/{id}", json=sent or request(id=id))
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["cards"]) == 1
    return answer.json()["cards"][0]


def refused(answer, status, word=""):
    """A refusal: its status, an OperationOutcome that says why, and no cards."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/fhir+json")
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    assert "cards" not in outcome
    assert word in outcome["issue"][0]["diagnostics"]
    return outcome


def empty_places(value, path=""):
    """Where null, "", [] or {} stands in `value`."""
    if value in (None, "", [], {}):
        return [path]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, one in inner for place in empty_places(one, f"{path}/{key}")]
