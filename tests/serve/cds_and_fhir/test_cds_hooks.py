"""Requests to CDS Hooks, the public sandbox among them: no failure looks like "nothing to say"."""

import json

import pytest
from cds_client import Sandbox
from cds_requests import SANDBOX, card_of, refused, request
from fhir_bundles import bundle, observation, quantity
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esi_triage.errors import InputError
from esi_triage.serve.decision_log import LogUnavailable

BROKEN = {
    "no hook": ({"hook": ...}, 400, "hook"),
    "another hook": ({"hook": "order-sign"}, 400, "encounter-start only"),
    "no hookInstance": ({"hookInstance": ...}, 400, "hookInstance"),
    "hookInstance is a number": ({"hookInstance": 7}, 400, "hookInstance"),
    "no context": ({"context": ...}, 400, "context"),
    "context is text": ({"context": "x"}, 400, "context"),
    "no patient": ({"context": {"userId": "Practitioner/9", "encounterId": "e1"}}, 400, "context.patientId"),
    "no encounter": ({"context": {"userId": "Practitioner/9", "patientId": "p1"}}, 400, "context.encounterId"),
    "an id that is none": (
        {"context": {"userId": "u", "patientId": "p1/../../x", "encounterId": "e1"}},
        400,
        "patientId",
    ),
    "cds-r-1": ({"fhirAuthorization": {"access_token": "x"}}, 400, "fhirServer"),
    "no prefetch": ({"prefetch": ...}, 412, "no chief complaint"),
    "prefetch is null": ({"prefetch": None}, 412, "no chief complaint"),
    "prefetch without the must-have": ({"prefetch": {"patient": None}}, 412, "no chief complaint"),
    "another patient": ({"prefetch": {"patient": {"resourceType": "Patient", "id": "p2"}}}, 422, "another patient"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_request_is_refused_and_says_why(client, log, name):
    changes, status, word = BROKEN[name]
    refused(client.post("/cds-services/esi-triage-start", json=request(**changes)), status, word)
    assert log.head() is None


def test_an_unknown_unit_is_refused(client):
    sent = request()
    sent["prefetch"]["vitals"]["entry"][0]["resource"]["valueQuantity"]["code"] = "F"
    refused(client.post("/cds-services/esi-triage-start", json=sent), 422, "unit code 'F' is not known")


def test_unknown_keys_and_extensions_are_ignored(client):
    sent = request(extension={"com.example": {"x": 1}}, more=[1], fhirServer="https://ehr.example/fhir")
    sent["prefetch"]["somethingElse"] = {"resourceType": "Patient", "id": "other"}
    card_of(client, sent)


def test_an_unknown_service_is_not_found(client):
    refused(client.post("/cds-services/other", json=request()), 404, "esi-triage-start")
    refused(client.post("/cds-services/other/feedback", json={"feedback": []}), 404)


BODIES = ["", "null", "[]", "{", '{"hook": NaN}', '{"x": 1e999}', '{"x": "\\ud800"}', "[" * 100_000, "\xff", "1" * 5000]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body[:12] or "empty")
@pytest.mark.parametrize("path", ["/cds-services/esi-triage-start", "/cds-services/esi-triage-view/feedback"])
def test_what_is_no_json_object_is_refused(client, path, body):
    as_json = {"Content-Type": "application/json; charset=utf-8"}
    refused(client.post(path, content=body.encode("latin-1"), headers=as_json), 400, "JSON")


keys = st.sampled_from(["hook", "hookInstance", "context", "prefetch", "fhirAuthorization", "fhirServer"])
scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner)
)
prefetched = st.dictionaries(st.sampled_from(["patient", "encounter", "vitals", "complaint"]), anything)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=keys, value=anything, prefetch=prefetched, view=st.booleans())
def test_no_request_brings_the_service_down_or_gets_an_empty_list(client, key, value, prefetch, view):
    id = "esi-triage-view" if view else "esi-triage-start"
    sent = request(id=id)
    sent["prefetch"] |= prefetch
    sent[key] = value
    answer = client.post(f"/cds-services/{id}", json=sent)
    if answer.status_code == 200:
        assert len(answer.json()["cards"]) == 1
    else:
        assert answer.status_code in (400, 412, 422)
        assert answer.json()["resourceType"] == "OperationOutcome"


class FullError(Exception):
    retry_after = 3


FAILURES = {
    "anything": (RuntimeError("a word of the note"), 500),
    "log": (LogUnavailable("disk full"), 503),
    "queue": (FullError(), 503),
    "input": (InputError("narrative: too long"), 422),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_never_an_empty_list_of_cards(client, service, name):
    service.fails, status = FAILURES[name]
    answer = client.post("/cds-services/esi-triage-start", json=request())
    refused(answer, status)
    assert "a word of the note" not in answer.text
    assert (status == 503) == ("retry-after" in answer.headers)


def dstu2_ehr():
    """What the sandbox's default server may give: the class as a word, `reason`, `patient` in place of `subject`."""
    met = {
        "resourceType": "Encounter",
        "id": "e77",
        "status": "arrived",
        "class": "emergency",
        "patient": {"reference": "Patient/smart-1288992"},
        "period": {"start": "2026-03-02T08:00:00Z"},
        "reason": [{"text": "Headache since this morning, vomited twice"}],
    }
    who = {"resourceType": "Patient", "id": "smart-1288992", "gender": "female", "birthDate": "1925-12-23"}
    at = ("smart-1288992", "e77", "2026-03-02T08:05:00Z")
    signs = bundle(
        observation("h", "8867-4", *at, valueQuantity=quantity(88, "/min")),
        observation("old", "8310-5", at[0], "e1", "2019-01-01", valueQuantity=quantity(40.0, "Cel")),
        {"resourceType": "OperationOutcome", "issue": []},
    )
    query = "status=planned,arrived,triaged,in-progress,onleave&_sort=-date&_count=5"
    return {
        "Patient/smart-1288992": who,
        f"Encounter?patient=smart-1288992&{query}": bundle(met),
        "Observation?patient=smart-1288992&category=vital-signs&_sort=-date&_count=50": signs,
    }


def sandbox(client, ehr):
    return Sandbox(client.get, client.post, ehr, {"Origin": SANDBOX, "Authorization": "Bearer not.a.token"})


def test_the_sandbox_gets_a_card_without_an_encounter_id_and_its_answers_are_kept(client, service, log):
    box = sandbox(client, dstu2_ehr())
    (view,) = box.services("patient-view")
    answer = box.call(view, "smart-1288992")
    assert answer.status_code == 200, answer.text
    assert answer.headers["access-control-allow-origin"] == SANDBOX
    (card,) = answer.json()["cards"]
    narrative, vitals = service.asked[0]
    assert narrative == "100-year-old woman. Chief complaint: Headache since this morning, vomited twice."
    assert vitals == {"heart_rate": 88}, "an older encounter's temperature is not this visit's"
    assert box.take(view, card, "ESI 3").status_code == 200
    assert box.dismiss(view, card).status_code == 200
    dismissed, taken = log.search(id=card["uuid"])[:2]
    assert (taken.kind, taken.body["outcome"], taken.body["advised"], taken.body["level"]) == (
        "feedback",
        "accepted",
        2,
        3,
    )
    assert (dismissed.body["outcome"], dismissed.body["reason"], dismissed.body["level"]) == (
        "overridden",
        "sees-more",
        None,
    )


def test_the_sandbox_is_told_what_is_missing(client):
    ehr = dstu2_ehr()
    box = sandbox(client, {key: value for key, value in ehr.items() if not key.startswith("Encounter")})
    (view,) = box.services("patient-view")
    refused(box.call(view, "smart-1288992"), 412, "no open encounter")
    old = next(value for key, value in ehr.items() if key.startswith("Encounter"))
    old["entry"][0]["resource"]["status"] = "finished"
    refused(sandbox(client, ehr).call(view, "smart-1288992"), 412, "no open encounter")


def test_the_sandbox_never_says_all_clear_for_a_failure(client, service):
    service.fails = RuntimeError()
    box = sandbox(client, dstu2_ehr())
    (view,) = box.services("patient-view")
    answer = box.call(view, "smart-1288992")
    refused(answer, 500)
    assert answer.headers["access-control-allow-origin"] == SANDBOX, "so that the browser may see the failure"


def test_browsers_of_other_origins_may_not_call(client):
    asks = {
        "Origin": SANDBOX,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Private-Network": "true",
    }
    allowed = client.options("/cds-services/esi-triage-view", headers=asks).headers
    assert allowed["access-control-allow-origin"] == SANDBOX
    assert "Authorization" in allowed["access-control-allow-headers"]
    other = client.options("/cds-services/esi-triage-view", headers=asks | {"Origin": "https://evil.example"}).headers
    assert "access-control-allow-origin" not in other
    assert "access-control-allow-origin" not in client.get("/cds-services").headers


VIEW = "esi-triage-view"


def view_of(*resources, **changes):
    """A patient-view of encounter e1 whose Encounter was not fetched."""
    context = {"userId": "Practitioner/9", "patientId": "p1", "encounterId": "e1"}
    return request(id=VIEW, context=context, prefetch={"complaint": bundle(*resources)}) | changes


def complaint(id, words, **changes):
    made = observation(id, "8661-1", "p1", "e1", "2026-03-02T08:05:00Z", valueString=words) | changes
    return {key: value for key, value in made.items() if value is not ...}


def test_an_observation_that_cannot_be_placed_in_the_visit_is_left_out_and_said(client, service):
    old = complaint("old", "Twisted ankle", encounter=..., effectiveDateTime="2019-01-01")
    card = card_of(client, view_of(complaint("new", "Chest pain"), old), VIEW)
    narrative, _ = service.asked[0]
    assert "Chest pain" in narrative
    assert "ankle" not in narrative
    assert "1 Observation" in card["extension"]["org.esi-triage.advice"]["notUsed"][0]
    refused(client.post(f"/cds-services/{VIEW}", json=view_of(old)), 412, "no encounter, and")


@pytest.mark.parametrize(
    "taken", [{"effectivePeriod": {"start": "2019-01-01"}}, {"issued": "2019-01-01T08:00:00Z"}, {}]
)
def test_an_old_or_undated_observation_without_an_encounter_is_of_no_known_visit(client, service, taken):
    ehr = dstu2_ehr()
    loose = complaint("old", "Twisted ankle", encounter=..., effectiveDateTime=..., **taken)
    loose["subject"] = {"reference": "Patient/smart-1288992"}
    key = "Observation?patient=smart-1288992&code=8661-1,10154-3&_sort=-date&_count=10"
    box = sandbox(client, ehr | {key: bundle(loose)})
    assert box.call(box.services("patient-view")[0], "smart-1288992").status_code == 200
    assert "ankle" not in service.asked[0][0]


@pytest.mark.parametrize(("kind", "status"), [({"code": "AMB"}, 412), ({"code": "EMER"}, 200), (..., 200)])
def test_without_an_encounter_id_only_an_open_emergency_encounter_counts(client, kind, status):
    ehr = dstu2_ehr()
    met = next(value for key, value in ehr.items() if key.startswith("Encounter"))["entry"][0]["resource"]
    del met["class"]
    if kind is not ...:
        met["class"] = kind
    box = sandbox(client, ehr)
    answer = box.call(box.services("patient-view")[0], "smart-1288992")
    assert answer.status_code == status
    if status == 412:
        refused(answer, 412, "emergency")


@pytest.mark.parametrize("path", ["/cds-services/esi-triage-start", "/cds-services/esi-triage-start/feedback"])
def test_a_page_elsewhere_cannot_write_into_the_log(client, log, path):
    body = json.dumps(request())
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        refused(client.post(path, content=body, headers={"Content-Type": kind}), 415, "application/json")
    for origin in ("https://evil.example", "null", "http://[", "http://testserver.evil.example"):
        refused(client.post(path, json=request(), headers={"Origin": origin}), 403, "origins")
    assert log.head() is None


def test_our_own_page_and_programs_may_call(client):
    sent = {"content": json.dumps(request()), "headers": {"Content-Type": "application/fhir+json"}}
    assert client.post("/cds-services/esi-triage-start", **sent).status_code == 200
    own = client.post("/cds-services/esi-triage-start", json=request(), headers={"Origin": "http://testserver"})
    assert own.status_code == 200


def test_a_type_of_resource_that_is_a_list_is_no_failure_of_the_service(client):
    sent = request(id=VIEW)
    sent["prefetch"]["patient"] = {"resourceType": ["Patient"], "id": ["p1"]}
    card_of(client, sent, VIEW)
