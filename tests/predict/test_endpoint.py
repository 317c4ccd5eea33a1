"""An endpoint that fails loses no case: it is asked again, or the case says why it has no level and counts as wrong."""

import json
import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from stub_endpoint import Stub, answer_to, chat, level_of

from esi_triage.answer import load_prompt
from esi_triage.chat_endpoint import Pace, find_endpoint
from esi_triage.data.case_table import write_cases
from esi_triage.data.corpus.vignettes import open_cases
from esi_triage.errors import InputError
from esi_triage.evaluate.evaluation import evaluate_file
from esi_triage.predict import Model, text_case
from esi_triage.predict import ask as ask_model
from esi_triage.predict.endpoint_model import endpoint_model
from esi_triage.predict.load import find_model
from esi_triage.predict.score_file import score_file

At = Callable[..., Model]
SURROGATE = "ANSWER: ESI 2 \ud83d"


def ask(model: Model, *narratives: str) -> list[Any]:
    return ask_model(model, [text_case(narrative) for narrative in narratives])


def test_it_is_asked_what_a_local_model_is_asked(stub: Stub, at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESI_API_KEY", " sk-secret\n")
    notes = [f"note {i}" for i in range(30)]
    replies = ask(at(), *notes)
    assert [reply.level for reply in replies] == [level_of(note) for note in notes]
    assert [reply.text for reply in replies] == [answer_to(note) for note in notes]
    assert {reply.tokens for reply in replies} == {7}
    assert set(stub.asked.values()) == {1}
    body = next(body for body in stub.bodies if body["messages"][1]["content"] == "note 3")
    assert body["messages"][0] == {"role": "system", "content": load_prompt().system}
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("stub", 0.1, 1024)
    assert stub.headers[0]["authorization"] == "Bearer sk-secret"


@pytest.mark.parametrize(
    "fault",
    [
        *(408, 429, 500, 502, 503, 529, "drop", 1.0),
        *("{broken", "", "[]", '"text"', "{}", {"choices": []}, {"error": {"message": "overloaded"}}),
        *(
            chat(""),
            chat(None),
            chat(" \n"),
            {"choices": [{"message": None}]},
            {"choices": [{"message": {"content": 3}}]},
        ),
        (429, {"Retry-After": "0.01"}, "{}"),
        (429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, ""),
        (503, {"Retry-After": "soon"}, "<html>"),
    ],
    ids=lambda fault: json.dumps(fault)[:40],
)
def test_what_passes_is_asked_again(stub: Stub, at: At, fault: Any) -> None:
    stub.faults["a note"] = [fault] * 3
    (reply,) = ask(at(timeout=0.2), "a note")
    assert (reply.level, reply.error) == (level_of("a note"), None)
    assert stub.asked["a note"] == 4


@pytest.mark.parametrize(
    ("fault", "reason", "times"),
    [
        (500, "HTTP 500", 6),
        (
            (500, {}, {"error": {"code": "engine_overloaded", "message": "secret note"}}),
            "HTTP 500 (engine_overloaded)",
            6,
        ),
        ("drop", "the connection broke (RemoteProtocolError)", 6),
        (0.3, "no answer within 0.1 s", 6),
        ("{broken", "an answer that is no chat completion", 6),
        (chat(None, "content_filter"), "an empty answer (content_filter)", 6),
        ((400, {}, {"error": {"code": "context_length_exceeded"}}), "HTTP 400 (context_length_exceeded)", 1),
        ((422, {}, {"detail": [{"input": "secret note"}]}), "HTTP 422", 1),
        ((400, {}, {"error": {"code": "a sentence that quotes the secret note"}}), "HTTP 400", 1),
    ],
)
def test_what_does_not_pass_is_a_row_with_its_reason(
    stub: Stub, at: At, tmp_path: Path, fault: Any, reason: str, times: int
) -> None:
    notes = ["first", "secret note", "last"]
    stub.faults["secret note"] = [fault] * 99
    rows = [{"case_id": f"c{i}", "narrative": note, "licence": "open"} for i, note in enumerate(notes)]
    (tmp_path / "in.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    found = score_file(at(timeout=0.1), tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert (found.rows, found.bad, found.failed) == (3, [], [reason])
    out = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["case_id"] for row in out] == ["c0", "c1", "c2"]
    assert [row["level"] for row in out] == [level_of("first"), None, level_of("last")]
    assert [row["error"] for row in out] == [None, reason, None]
    assert stub.asked["secret note"] == times


def test_a_busy_server_is_asked_longer_than_a_broken_one(stub: Stub, at: At) -> None:
    stub.faults["a note"] = [429] * 12
    (reply,) = ask(at(patience=0.003), "a note")
    assert reply.level == level_of("a note")
    stub.faults["another"] = [429] * 10_000
    (reply,) = ask(at(patience=0.0001), "another")
    assert reply.error == "HTTP 429"


def test_failures_count_as_wrong(stub: Stub, at: At, tmp_path: Path) -> None:
    cases = list(open_cases(12, seed=3))
    write_cases(cases, tmp_path / "cases.parquet")
    for case in cases:
        stub.faults[case.narrative] = [chat(f"ANSWER: ESI {case.gold}")]
    stub.faults[cases[5].narrative] = [500] * 99
    result, _, _ = evaluate_file(at(), tmp_path / "cases.parquet", tmp_path / "out")
    assert result.replies[5].error == "HTTP 500"
    assert (result.metrics["exact"]["n"], result.metrics["exact"]["value"]) == (12, pytest.approx(11 / 12))
    assert result.metrics["no_parse"]["value"] == pytest.approx(1 / 12)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (401, "ESI_API_KEY"),
        (403, "ESI_API_KEY"),
        (404, "base URL"),
        (402, "credit"),
        ((429, {}, {"error": {"code": "insufficient_quota"}}), "credit"),
        ((302, {"Location": "http://elsewhere.example/v1"}, ""), "redirects"),
        ((400, {}, {"error": {"param": "max_tokens", "code": "unsupported_parameter"}}), r"--parameter max_tokens="),
    ],
)
def test_a_wrong_address_key_or_setting_stops_the_run(stub: Stub, at: At, fault: Any, says: str) -> None:
    stub.always = fault
    with pytest.raises(InputError, match=says):
        ask(at(parallel=2), *(f"note {i}" for i in range(50)))
    assert sum(stub.asked.values()) < 10


def test_nobody_there_is_one_sentence(stub: Stub, at: At) -> None:
    model = at()
    stub.server_close()
    with pytest.raises(InputError, match=r"127\.0\.0\.1.*cannot be reached"):
        ask(model, "note")


def test_truncated_thinking_is_no_answer_but_no_failure(stub: Stub, at: At) -> None:
    stub.faults["a note"] = [chat(None, "length")]
    (reply,) = ask(at(), "a note")
    assert (reply.level, reply.truncated, reply.error) == (None, True, None)


def test_text_that_no_file_can_hold_is_mended(stub: Stub, at: At) -> None:
    stub.faults["a note"] = [chat(SURROGATE)]
    assert ask(at(), "a note")[0].text == "ANSWER: ESI 2 ?"


def test_no_more_requests_are_under_way_than_allowed(stub: Stub, at: At) -> None:
    stub.slow = 0.02
    ask(at(parallel=3), *(f"note {i}" for i in range(30)))
    assert stub.most_under_way == 3


def test_the_pace_holds_for_all_threads() -> None:
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 6))

    pace = Pace(4, clock=lambda: now[0], sleep=sleep)
    for _ in range(3):
        pace.wait()
    assert slept == [0.25, 0.5]  # at one moment: one leaves now, the others a quarter of a second apart
    pace.hold(10)
    pace.wait()
    pace.wait()
    assert slept[2:] == [10, 10.25]
    now[0] = 60
    pace.wait()
    assert len(slept) == 4


def test_retry_after_is_waited_for(stub: Stub, at: At) -> None:
    stub.faults["a note"] = [(429, {"Retry-After": "0.5"}, "")]
    started = time.monotonic()
    ask(at(parallel=1), "a note", "another")
    assert time.monotonic() - started >= 0.5


def test_credentialed_rows_need_a_named_agreement(at: At) -> None:
    secret = list(open_cases(2, seed=1))
    secret[1] = secret[1].model_copy(update={"licence": "credentialed"})
    remote = find_endpoint("https://api.example.invalid/v1", "m", patience=0.0001)
    stream = endpoint_model(remote).stream
    assert stream
    with pytest.raises(InputError, match=r"1 of 2 rows are credentialed.*--agreement"):
        list(stream(secret))
    with pytest.raises(InputError, match="cannot be reached"):  # let through, and nobody lives there
        list(endpoint_model(remote, "DUA 1.5, zero retention").stream(secret))
    local = at().stream
    assert local
    assert len(list(local(secret))) == 2


def test_bare_narratives_count_as_credentialed() -> None:
    with pytest.raises(InputError, match="credentialed"):
        ask(endpoint_model(find_endpoint("https://api.example.invalid/v1", "m")), "a note")


def test_the_environment_cannot_lead_local_text_away(stub: Stub, at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    assert ask(at(), "a note")[0].level == level_of("a note")


def test_the_key_is_shown_nowhere(
    stub: Stub, at: At, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ESI_API_KEY", "sk-secret-7")
    caplog.set_level(logging.DEBUG)
    stub.faults["bad note"] = [500] * 99
    rows = [{"case_id": note, "narrative": note, "licence": "open"} for note in ("good note", "bad note")]
    (tmp_path / "in.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    score_file(at(), tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    stub.always = 401
    with pytest.raises(InputError) as raised:
        ask(at(), "a note")
    shown = [str(raised.value), caplog.text, repr(find_endpoint(stub.url, "m"))]
    shown += [file.read_text() for file in tmp_path.iterdir()]
    assert not any("sk-secret-7" in text for text in shown)
    assert stub.headers[0]["authorization"] == "Bearer sk-secret-7"


@pytest.mark.parametrize(
    "url",
    ["api.example.com/v1", "ftp://x/v1", "http://", "", "http://me:pw@host/v1", "http://host/v1?key=pw", "http://[::1"],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InputError) as raised:
        find_endpoint(url, "m")
    assert "pw" not in str(raised.value)


def test_the_full_address_will_do_too(stub: Stub) -> None:
    assert find_endpoint(f"{stub.url}/chat/completions/", "m").url == stub.url


def test_asked_again_it_is_another_sample(at: At) -> None:
    """A seed moves on; without one the server draws anew, and a kept reply of one sample is none of the next."""
    seeded = at(parameters={"temperature": 0.1, "seed": 5})
    assert seeded.again is not None
    assert seeded.again(2).settings["decoding"] == {"temperature": 0.1, "seed": 7}
    plain = at()
    assert plain.again is not None
    assert len({plain.identity, plain.again(1).identity, plain.again(2).identity}) == 3
    assert plain.again(1).settings == plain.settings


def told(*rows: dict[str, float]) -> dict[str, Any]:
    """A chat completion with the alternatives of each token."""
    content = [
        {"token": max(row, key=row.__getitem__), "top_logprobs": [{"token": t, "logprob": p} for t, p in row.items()]}
        for row in rows
    ]
    return {"choices": [{**chat("3")["choices"][0], "logprobs": {"content": content}}]}


BLANK = {" ": -0.01, "\n": -5.0}


@pytest.mark.parametrize(
    ("body", "level", "says"),
    [
        (told({" 3": math.log(0.6), " 2": math.log(0.3), "4": math.log(0.1)}), 3, None),
        (told(BLANK, {"2": math.log(0.5), "3": math.log(0.3), " 3": math.log(0.15)}), 2, None),
        (told({"2": math.log(0.5), "3": math.log(0.2), "-": math.log(0.3)}), 2, "70%"),
        (told({"EX": math.log(0.9), "3": math.log(0.1)}), None, "did not go on"),
        (chat("3"), None, "no log probabilities"),
        (told({"3": 0.5}), None, "no log probabilities"),
        (
            {"choices": [{**chat("3")["choices"][0], "logprobs": {"content": [{"top_logprobs": 7}]}}]},
            None,
            "no log prob",
        ),
    ],
    ids=[
        "digits with a blank",
        "a blank of its own",
        "little mass",
        "another text",
        "a server without",
        "above one",
        "no list",
    ],
)
def test_a_level_at_once_with_probabilities(stub: Stub, body: Any, level: int | None, says: str | None) -> None:
    stub.always = body
    model = find_model("m", endpoint=stub.url, fast=True)
    reply = ask(model, "chest pain")[0]
    assert reply.level == level
    assert stub.bodies[0]["messages"][-1] == {"role": "assistant", "content": "ANSWER: ESI"}
    assert stub.bodies[0]["logprobs"] is True
    if level is None:
        assert reply.error
        assert says
        assert says in reply.error
    else:
        assert sum(reply.probabilities or ()) == pytest.approx(1)
        assert (reply.probabilities or ())[level - 1] == max(reply.probabilities or ())
        assert [says in warning for warning in reply.warnings] == [True] if says else reply.warnings == ()
