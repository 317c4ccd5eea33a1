"""What became of a card is kept in the decision log, or refused as a whole."""

import json
import uuid

import pytest
from cds_requests import card_of, refused
from fhir_bundles import coded

from esi_triage.serve.web.log_figures import log_figures


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


def answered(card, outcome, level=None, **more):
    taken = [{"id": one["uuid"]} for one in card["suggestions"] if one["label"] == f"ESI {level}"]
    return {"card": card["uuid"], "outcome": outcome} | ({"acceptedSuggestions": taken} if taken else {}) | more


def test_an_answer_to_a_card_counts_as_a_decision(client, service, log):
    changed, differs, dismissed = (card_of(client) for _ in range(3))
    why = {"overrideReason": {"reason": coded("sicker")["coding"][0]}}
    sent_feedback(client, answered(changed, "overridden", **why), answered(changed, "accepted", 2))
    sent_feedback(client, answered(differs, "accepted", 3), answered(dismissed, "overridden", **why))
    figures = log_figures([row for row in log.search() if row.kind == "feedback"])
    assert (figures.overridden.n, figures.overridden.of) == (2, 3), "of each card the last answer"
    assert {code: share.n for code, share in figures.override_reasons} == {"sicker": 1, "no reason given": 1}
    told = service.metrics.text().decode()
    for chosen, n in (("2", 1), ("3", 1), ("overridden", 2)):
        assert f'esi_decisions_total{{advised="2",chosen="{chosen}"}} {n}.0' in told
