"""What became of a card is kept in the decision log, or refused as a whole."""

import json
import uuid

import pytest
from cds_requests import card_of, refused
from fhir_bundles import coded


def sent_feedback(client, *items, id="esi-triage-start"):
    return client.post(f"/cds-services/{id}/feedback", json={"feedback": list(items)})


BAD_FEEDBACK = {
    "cds-fb-1": ({"outcome": "ignored"}, "outcome"),
    "cds-fb-2": ({"outcome": "accepted"}, "acceptedSuggestions"),
    "cds-fb-2 empty": ({"outcome": "accepted", "acceptedSuggestions": []}, "acceptedSuggestions"),
    "a suggestion of another card": (
        {"outcome": "accepted", "acceptedSuggestions": [{"id": "x"}]},
        "acceptedSuggestions",
    ),
    "cds-fb-3": ({"outcome": "overridden", "overrideReason": {}}, "reason, userComment"),
    "reason is text": ({"outcome": "overridden", "overrideReason": {"reason": "x"}}, "Coding"),
    "comment is a number": ({"outcome": "overridden", "overrideReason": {"userComment": 1}}, "userComment"),
    "unknown card": ({"card": str(uuid.uuid4()), "outcome": "overridden"}, "card"),
    "no card": ({"card": None, "outcome": "overridden"}, "card"),
}


@pytest.mark.parametrize("name", BAD_FEEDBACK)
def test_broken_feedback_is_refused_and_nothing_of_the_call_is_kept(client, log, name):
    card = card_of(client)
    good = {"card": card["uuid"], "outcome": "overridden"}
    changes, word = BAD_FEEDBACK[name]
    refused(sent_feedback(client, good, good | changes), 400, word)
    assert log.head().kind == "advice"


def test_feedback_on_several_cards_with_repeats_is_kept(client, log):
    first, second = card_of(client), card_of(client)
    override = {"reason": coded("sicker")["coding"][0], "userComment": "grey and sweating"}
    items = [
        {"card": one["uuid"], "outcome": "overridden", "overrideReason": override} for one in (first, second, first)
    ]
    assert sent_feedback(client, *items).status_code == 200
    rows = log.search(limit=3)
    assert [row.kind for row in rows] == ["feedback"] * 3
    assert [row.previous for row in rows] == [first["uuid"], second["uuid"], first["uuid"]]
    assert log.text_of(rows[0].id) == "grey and sweating"
    assert "grey" not in json.dumps(rows[0].body)


def test_feedback_that_is_no_list_is_refused(client):
    for body in ({}, {"feedback": {}}, {"feedback": []}, {"feedback": ["x"]}):
        refused(client.post("/cds-services/esi-triage-start/feedback", json=body), 400, "feedback")
