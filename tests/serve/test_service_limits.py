"""What the service does when it cannot answer as usual: slow or broken model, full queue, dead log, no token."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from served import CHEST_PAIN, Served, serving

from esi_triage.errors import InputError
from esi_triage.esi import Case
from esi_triage.predict import ask, text_case
from esi_triage.predict.model import Model, Reply, constant_model, one_by_one, reply_of
from esi_triage.serve.advice import Advice
from esi_triage.serve.app import find_served_model
from esi_triage.serve.decision_log import DecisionLog, LogUnavailable, open_log
from esi_triage.serve.reason_words import hand_over_words
from esi_triage.serve.service import PROBE, Service
from esi_triage.serve.serving import run_service
from esi_triage.serve.settings import Settings, default_settings_text, load_settings


def model_that(work: Callable[[Case], Reply]) -> Model:
    """A model that answers the warm-up at once and then does `work`."""
    return one_by_one("made", lambda case: reply_of("ANSWER: ESI 2") if case.narrative == PROBE else work(case))


def test_a_model_that_is_late_is_replaced_by_the_rules(tmp_path: Path) -> None:
    release = threading.Event()

    def late(_: Case) -> Reply:
        release.wait(30)
        return reply_of("ANSWER: ESI 5")

    with serving(tmp_path, model_that(late), model={"deadline_seconds": 0.2}) as served:
        advice = served.triage(CHEST_PAIN).json()
        release.set()
    assert advice["degraded"]
    assert advice["level"] is None
    assert advice["likeliest"] == 2
    assert advice["hand_over"][0]["code"] == "deadline"


def test_a_model_that_breaks_is_replaced_by_the_rules(tmp_path: Path) -> None:
    def breaks(_: Case) -> Reply:
        raise RuntimeError("no memory")

    with serving(tmp_path, model_that(breaks)) as served:
        advice = served.triage(CHEST_PAIN).json()
    assert advice["degraded"]
    assert advice["hand_over"][0]["code"] == "model-failed"
    assert advice["level"] is None


def test_a_model_that_parts_from_the_rules_hands_over(tmp_path: Path) -> None:
    with serving(tmp_path, model_that(lambda _: reply_of("ANSWER: ESI 5"))) as served:
        advice = served.triage(CHEST_PAIN).json()
    assert (advice["level"], advice["likeliest"], advice["rules_level"]) == (None, 5, 2)
    assert "model-outside-rules" in [reason["code"] for reason in advice["hand_over"]]


def test_a_full_queue_refuses_with_a_time_and_answers_those_inside(tmp_path: Path) -> None:
    release, inside = threading.Event(), threading.Event()

    def waits(_: Case) -> Reply:
        inside.set()
        release.wait(30)
        return reply_of("ANSWER: ESI 2")

    answers: list[httpx.Response] = []
    with serving(tmp_path, model_that(waits), model={"queue": 1, "deadline_seconds": 60.0}) as served:
        first = threading.Thread(target=lambda: answers.append(served.triage(CHEST_PAIN)))
        first.start()
        inside.wait(30)
        refused = httpx.post(f"{served.url}/v1/triage", json={"narrative": CHEST_PAIN}, timeout=30)
        without_its_body = head_of_a_note(served)
        asks_for_facts = httpx.get(f"{served.url}/v1/model", timeout=30)
        wrong_method = httpx.get(f"{served.url}/v1/triage", timeout=30)
        release.set()
        first.join(30)
    assert refused.status_code == 503
    assert refused.json()["detail"].startswith("Too many cases wait")
    assert int(refused.headers["retry-after"]) >= 1
    assert without_its_body.startswith("HTTP/1.1 503")
    assert (asks_for_facts.status_code, wrong_method.status_code) == (200, 405)
    assert answers[0].json()["level"] == 2


def head_of_a_note(served: Served) -> str:
    """What the service says to a request whose body never comes."""
    where = httpx.URL(served.url)
    with socket.create_connection((where.host, where.port or 80), timeout=10) as line:
        line.sendall(b"POST /v1/triage HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n")
        return line.recv(100).decode()


def test_a_stranger_does_not_learn_that_the_queue_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESI_SERVE_TOKEN", "a-token-of-this-test")
    with serving(tmp_path, model={"queue": 1}) as served:
        monkeypatch.setattr(served.service, "_inside", 1)
        asked = served.client.post("/v1/triage", json={"narrative": CHEST_PAIN})
        known = served.client.post(
            "/v1/triage", json={"narrative": CHEST_PAIN}, headers={"Authorization": "Bearer a-token-of-this-test"}
        )
    assert (asked.status_code, known.status_code) == (401, 503)


def test_without_a_row_no_advice_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise LogUnavailable("disk full")

    with serving(tmp_path) as served:
        served.triage(CHEST_PAIN)
        monkeypatch.setattr(DecisionLog, "append", full)
        refused = served.triage(CHEST_PAIN)
        page = form_sent(served)
        ready = served.client.get("/readyz")
    assert refused.status_code == ready.status_code == page.status_code == 503
    assert "level" not in refused.json()
    assert "log cannot be written" in refused.json()["detail"]
    assert "ESI 2</h1>" not in page.text
    assert "log cannot be written" in page.text


def form_sent(served: Served) -> httpx.Response:
    start = served.client.get("/")
    token = start.text.split('name="token" value="')[1].split('"')[0]
    served.client.cookies.update(start.cookies)
    return served.client.post("/", data={"token": token, "narrative": CHEST_PAIN, "own_level": "3"})


def test_texts_are_kept_only_where_asked(tmp_path: Path) -> None:
    for kept in (False, True):
        folder = tmp_path / str(kept)
        folder.mkdir()
        with serving(folder, log={"keep_text": kept}) as served:
            record = served.triage(CHEST_PAIN).json()["record"]
            text = served.service.log.text_of(record)
        assert text == (CHEST_PAIN if kept else None)


def test_with_a_token_only_callers_who_send_it_are_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESI_SERVE_TOKEN", "a-token-of-this-test")
    with serving(tmp_path) as served:
        unasked = served.client.get("/")
        wrong = served.client.get("/v1/model", headers={"Authorization": "Bearer wrong"})
        bearer = served.client.get("/v1/model", headers={"Authorization": "Bearer a-token-of-this-test"})
        basic = served.client.post(
            "/v1/triage", json={"narrative": CHEST_PAIN}, auth=("nurse-7", "a-token-of-this-test")
        )
        alive = served.client.get("/healthz")
        row = served.service.log.get(basic.json()["record"])
    assert (unasked.status_code, wrong.status_code, bearer.status_code, alive.status_code) == (401, 401, 200, 200)
    assert "Basic" in unasked.headers["www-authenticate"]
    assert row is not None
    assert row.body["actor"] == "nurse-7"


def test_beyond_this_machine_a_token_or_a_switch_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ESI_SERVE_TOKEN", raising=False)
    with pytest.raises(InputError, match="token_file"):
        load_settings(options={"server": {"host": "0.0.0.0"}})
    assert load_settings(options={"server": {"host": "0.0.0.0", "allow_remote": True}}).server.allow_remote
    assert load_settings(options={"server": {"host": "::1"}}).server.host == "::1"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("[server]\nprot = 1", "server.prot"),
        ("[sever]\nport = 1", "sever"),
        ("[server]\nport = 70000", "server.port"),
        ("[server]\nport = '80'", "server.port"),
        ("port = 1", "port"),
        ("[server", "file.toml"),
        ("[server]\ntls_key = 'a.pem'", "tls_certificate"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, text: str, names: str) -> None:
    file = tmp_path / "file.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=names):
        load_settings(file)


def test_the_printed_settings_are_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "file.toml"
    file.write_text(default_settings_text())
    assert load_settings(file) == load_settings()
    assert isinstance(load_settings(), Settings)


def test_every_reason_to_hand_over_reads_as_a_sentence() -> None:
    words = hand_over_words()
    assert {"deadline", "vitals-conflict", "vitals-missing", "unread-text", "risk-high", "no-level"} <= set(words)
    assert all(" " in says for says in words.values())


def test_a_model_of_the_guard_speaks_in_sentences(tmp_path: Path) -> None:
    reply = replace(reply_of("ANSWER: ESI 2"), level_set=(2, 3), hand_over=("vitals-missing",))
    with serving(tmp_path, replace(model_that(lambda _: reply), judges=True)) as served:
        advice = served.triage(CHEST_PAIN).json()
    assert (advice["level"], advice["likeliest"], advice["set"]) == (None, 2, [2, 3])
    (reason,) = advice["hand_over"]
    assert reason["code"] == "vitals-missing"
    assert "vital signs are missing" in reason["says"]


def test_an_endpoint_without_the_name_of_its_model_is_refused() -> None:
    with pytest.raises(InputError, match=r"model\.name"):
        find_served_model(load_settings(options={"model": {"endpoint": "http://127.0.0.1:9/v1"}}))


def advised(folder: Path, answering: Model, narrative: str) -> Advice:
    settings = load_settings(options={"log": {"file": str(folder / "log.sqlite")}})
    service = Service(settings, answering, open_log(Path(settings.log.file)))
    try:
        return asyncio.run(service.advise(narrative, None, "api", None))
    finally:
        service.close()


def test_a_calibrated_model_alone_is_handed_over_where_the_rules_exclude_its_level(tmp_path: Path) -> None:
    calibrated = replace(reply_of("ANSWER: ESI 3"), level_set=(2, 3))
    advice = advised(tmp_path, one_by_one("made", lambda _: calibrated), CHEST_PAIN)
    assert (advice.possible, advice.set) == ((2,), (2, 3))
    assert (advice.level, [reason.code for reason in advice.hand_over]) == (None, ["model-outside-rules"])


def test_a_set_of_three_levels_is_wide_though_the_model_names_none(tmp_path: Path) -> None:
    advice = advised(tmp_path, constant_model("constant:3"), "54 y/o M, feels unwell")
    assert len(advice.set) > 2
    assert "wide-set" in [reason.code for reason in advice.hand_over]


@pytest.mark.timeout(30)
def test_an_endpoint_that_hangs_is_let_go_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        given = {"endpoint": url, "name": "m", "deadline_seconds": 0.3}
        began = time.monotonic()
        (reply,) = ask(find_served_model(load_settings(options={"model": given})), [text_case("a note")])
        assert reply.error
        assert time.monotonic() - began < 3, "the thread is free for the next case"


@pytest.mark.parametrize("name", ["m", "guard:m", "extract:m"])
def test_a_remote_endpoint_without_an_agreement_names_the_setting(name: str) -> None:
    given = {"endpoint": "https://api.example.org/v1", "name": name}
    with pytest.raises(InputError, match=r"model\.agreement") as refused:
        find_served_model(load_settings(options={"model": given}))
    assert "--agreement" not in str(refused.value)


def test_an_endpoint_that_is_not_there_is_said_in_words_at_the_start(tmp_path: Path) -> None:
    given = {"endpoint": "http://127.0.0.1:9/v1", "name": "m"}
    options = {"model": given, "server": {"port": 0}, "log": {"file": str(tmp_path / "log.sqlite")}}
    with pytest.raises(InputError, match="Is the server running"):
        run_service(load_settings(options=options))
    open_log(tmp_path / "log.sqlite").close()  # nobody holds it


def test_a_short_token_is_refused_wherever_it_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token"
    file.write_text("fifteen-signs-x\n")
    with pytest.raises(InputError, match="15 characters"):
        load_settings(options={"server": {"token_file": str(file)}})
    monkeypatch.setenv("ESI_SERVE_TOKEN", "a" + " " * 20)
    with pytest.raises(InputError, match="ESI_SERVE_TOKEN: the token has 1 character"):
        load_settings()


def test_a_host_is_known_whatever_its_case_and_port(tmp_path: Path) -> None:
    with serving(tmp_path, server={"hosts": ["Triage.Example.org:8443"]}) as served:
        statuses = [
            served.client.get("/v1/model", headers={"Host": host}).status_code
            for host in ("triage.example.org", "TRIAGE.example.org:443", "other.example.org")
        ]
    assert statuses == [200, 200, 421]
