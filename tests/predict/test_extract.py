"""Findings read by a model behind an endpoint, decided by the rules: what is not in the note does not count."""

import json
from pathlib import Path
from typing import Any

import pytest
from stub_endpoint import Stub, chat

from esi_triage.errors import InputError
from esi_triage.predict import ask, text_case
from esi_triage.predict.extract import findings_in
from esi_triage.predict.load import find_model, load_model
from esi_triage.predict.model import Reply
from esi_triage.predict.rules_model import rules_reply
from esi_triage.predict.score_file import score_file

NOTE = "54 y/o M with crushing chest pain. HR 104, T 98.6 F"


def answer(*findings: tuple[str, str], **values: Any) -> str:
    return json.dumps({"findings": [{"name": name, "text": text} for name, text in findings], **values})


def extracted(stub: Stub, told: str, ended: str = "stop") -> Reply:
    stub.always = chat(told, ended)
    model = find_model("extract:m", endpoint=stub.url)
    (reply,) = ask(model, [text_case(NOTE).model_copy(update={"licence": "open"})])
    return reply


def test_the_model_reads_and_the_rules_decide(stub: Stub) -> None:
    reply = extracted(
        stub, answer(("chest-pain", "Crushing  chest pain"), age_years=54, sex="M", vitals={"heart_rate": 104})
    )
    assert (reply.level, reply.warnings) == (2, ())
    assert reply.possible is not None
    sent = stub.bodies[0]
    assert sent["response_format"]["type"] == "json_schema"
    assert "chest-pain" in json.dumps(sent["response_format"]["json_schema"]["schema"])


def test_what_is_not_in_the_note_is_dropped_and_counted(stub: Stub) -> None:
    invented = answer(
        ("chest-pain", "chest pain"), ("cardiac-arrest", "no pulse"), vitals={"heart_rate": 104, "spo2": 70}
    )
    reply = extracted(stub, invented)
    assert reply.level != 1
    assert reply.warnings[-1] == "dropped, their words are not in the note: cardiac-arrest, spo2 (2)"


def test_a_temperature_may_be_converted() -> None:
    findings, dropped = findings_in(answer(vitals={"temperature_c": 37.0}), NOTE)
    assert (findings.vitals.temperature_c, dropped) == (37.0, [])


@pytest.mark.parametrize(
    ("told", "ended", "says"),
    [
        ("I think it is chest pain.", "stop", "no JSON"),
        ("[1]", "stop", "no JSON object"),
        ("[" * 50_000, "stop", "no JSON"),
        (answer(("no-such-thing", "chest pain")), "stop", "unknown finding 'no-such-thing'"),
        (answer(vitals={"heart_rate": "104"}, colour="red"), "stop", "colour"),
        ('{"findings": [', "length", "cut short"),
        ("{}", "stop", "no finding"),
        ('{"findings": []}', "stop", "no finding"),
        (answer(age_years=54, sex="M", vitals={"heart_rate": 104}), "stop", "no finding"),
        (answer(("cardiac-arrest", "no pulse")), "stop", "no finding"),
    ],
)
def test_an_answer_that_cannot_be_used_leaves_it_to_the_rules_and_says_so(
    stub: Stub, told: str, ended: str, says: str
) -> None:
    reply, rules = extracted(stub, told, ended), rules_reply(text_case(NOTE))
    assert (reply.level, reply.possible, reply.text) == (rules.level, rules.possible, rules.text)
    assert says in reply.warnings[-1]
    assert reply.warnings[-1].endswith("the rules read the note themselves")


def test_what_the_rules_read_themselves_stays_possible(stub: Stub) -> None:
    reply = extracted(stub, answer(("refill", "chest pain")))
    assert reply.level == 5
    assert rules_reply(text_case(NOTE)).possible == (2,)
    assert reply.possible == (2, 5)


def test_a_decimal_comma_is_a_decimal_point() -> None:
    findings, dropped = findings_in(answer(vitals={"temperature_c": 39.5, "heart_rate": 104}), "T 39,5 C, HR 104,RR 20")
    assert (findings.vitals.temperature_c, findings.vitals.heart_rate, dropped) == (39.5, 104, [])


def test_a_failed_request_is_no_level(stub: Stub, tmp_path: Path) -> None:
    stub.always = (400, {}, {"error": {"code": "too_long"}})
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps({"case_id": "1", "narrative": NOTE, "licence": "open"}) + "\n")
    failed = score_file(find_model("extract:m", endpoint=stub.url), source, tmp_path / "out.jsonl").failed
    assert failed == ["HTTP 400 (too_long)"]


def test_guard_at_an_endpoint_answers_though_it_has_no_probabilities(stub: Stub) -> None:
    stub.always = chat("ANSWER: ESI 2")
    (reply,) = ask(find_model("guard:m", endpoint=stub.url), [text_case(NOTE)])
    assert (reply.level, reply.hand_over) == (2, ("uncalibrated",))


@pytest.mark.parametrize("spec", ["extract:", "guard:"])
def test_a_name_is_needed_at_an_endpoint(spec: str) -> None:
    with pytest.raises(InputError, match="after the colon"):
        find_model(spec, endpoint="http://127.0.0.1:1/v1")


def test_extract_needs_an_endpoint_and_a_dead_one_is_named() -> None:
    with pytest.raises(InputError, match="--endpoint is missing"):
        find_model("extract:m")
    with pytest.raises(InputError, match="does not say which models it serves"):
        load_model("guard:http://127.0.0.1:1/v1")
