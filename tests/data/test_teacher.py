"""A teacher's targets are kept only where they pass; credentialed rows go to no other machine."""

import json
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path

import pytest

from esi_triage.chat_endpoint import find_endpoint
from esi_triage.data.corpus.vignettes import open_cases
from esi_triage.data.targets import reference_answer
from esi_triage.data.teacher_targets import Target, failing, read_targets, targets, write_targets
from esi_triage.errors import InputError
from esi_triage.esi import Case, assess

CASES = list(open_cases(3, seed=12))
GOOD = [reference_answer(case, assess(case.narrative)) for case in CASES]


class Stub(BaseHTTPRequestHandler):
    """Answers each narrative with what `replies` holds for it."""

    replies: dict[str, str] = {}  # noqa: RUF012
    seen: list[dict[str, object]] = []  # noqa: RUF012

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append(body)
        asked = body["messages"][1]["content"]
        text = next((reply for narrative, reply in self.replies.items() if asked.startswith(narrative)), None)
        payload = {"choices": [{"message": {"content": text}}]} if text is not None else {"error": "unknown"}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(payload).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    Stub.seen.clear()
    server = HTTPServer(("127.0.0.1", 0), Stub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()


def taught_by(cases: Sequence[Case], url: str) -> list[Target]:
    return list(targets(cases, find_endpoint(url, "teacher", patience=0.0)))


def test_what_passes_is_kept_and_what_fails_is_replaced(endpoint: str) -> None:
    taught = GOOD[0].replace("- Red flags: ", "- Red flags: seen by the teacher; ")
    Stub.replies = {
        CASES[0].narrative: taught,
        CASES[1].narrative: "ESI 3, I would say.",
        CASES[2].narrative: GOOD[2].replace("- Vital signs: ", "- Vital signs: HR 219, "),
    }
    found = taught_by(CASES, endpoint)
    assert [target.taught for target in found] == [True, False, False]
    assert [target.text for target in found] == [taught, *GOOD[1:]]
    assert found[1].why_not == "not the format"
    assert "219" in (found[2].why_not or "")
    # Questions arrive in any order: several are under way at once.
    asked = {str(question["messages"]) for question in Stub.seen}
    assert {question["model"] for question in Stub.seen} == {"teacher"}
    assert all(any(f"ESI {case.gold}" in text and case.narrative[:40] in text for text in asked) for case in CASES)


@pytest.mark.parametrize(
    ("change", "why_not"),
    [
        (lambda text, gold: text.replace(f"ANSWER: ESI {gold}", f"ANSWER: ESI {gold % 5 + 1}"), "level"),
        (lambda text, gold: text.replace("- Red flags: ", "- Red flags: " + "word " * 150), "150 words"),
        (lambda text, gold: text + "\nI hope that helps.", "not the format"),
    ],
)
def test_what_keeps_a_text_out(change, why_not: str) -> None:
    gold = CASES[0].gold or 0
    found = failing(change(GOOD[0], gold), CASES[0], assess(CASES[0].narrative))
    assert found is not None
    assert why_not in found
    assert failing(GOOD[0], CASES[0], assess(CASES[0].narrative)) is None


def test_credentialed_rows_stay_on_this_machine(endpoint: str) -> None:
    secret = [case.model_copy(update={"licence": "credentialed"}) for case in CASES]
    with pytest.raises(InputError, match="credentialed"):
        taught_by(secret, "https://api.example.com/v1")
    Stub.replies = {case.narrative: text for case, text in zip(CASES, GOOD, strict=True)}
    assert all(target.taught for target in taught_by(secret, endpoint))


def test_where_the_teacher_says_nothing_the_reference_answer_stands(endpoint: str) -> None:
    Stub.replies = {}  # answers, but no chat completion
    (found,) = taught_by(CASES[:1], endpoint)
    assert (found.text, found.taught, found.why_not) == (GOOD[0], False, "an answer that is no chat completion")


def test_a_run_that_was_cut_short_asks_the_rest_alone(endpoint: str, tmp_path: Path) -> None:
    output = tmp_path / "targets.jsonl"
    teacher = find_endpoint(endpoint, "teacher", patience=0.0)
    Stub.replies = {CASES[0].narrative: GOOD[0]}  # the server knows one of three
    assert write_targets(CASES, teacher, output) == (3, 1)
    assert list(tmp_path.glob("*.resume.jsonl"))
    Stub.seen.clear()
    Stub.replies = {case.narrative: text for case, text in zip(CASES, GOOD, strict=True)}
    assert write_targets(CASES, teacher, output) == (3, 3)
    assert len(Stub.seen) == 2
    assert list(read_targets(output).values()) == GOOD
    assert not list(tmp_path.glob("*.resume.jsonl"))


def test_what_came_before_a_stop_is_kept(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Stub.replies = {case.narrative: text for case, text in zip(CASES, GOOD, strict=True)}
    output, teacher = tmp_path / "targets.jsonl", find_endpoint(endpoint, "teacher", patience=0.0, parallel=1)

    def stopped(text: str, *_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("esi_triage.data.teacher_targets.failing", stopped)
        with pytest.raises(KeyboardInterrupt):
            write_targets(CASES, teacher, output)
    Stub.seen.clear()
    assert write_targets(CASES, teacher, output) == (3, 3)
    assert not Stub.seen
    assert not output.with_name("targets.jsonl.resume.jsonl").exists()


def test_another_level_is_another_question(endpoint: str, tmp_path: Path) -> None:
    Stub.replies = {}
    output, teacher = tmp_path / "targets.jsonl", find_endpoint(endpoint, "teacher", patience=0.0)
    Stub.replies = {CASES[0].narrative: "ESI 3"}
    write_targets(CASES[:2], teacher, output)
    Stub.seen.clear()
    other = CASES[0].model_copy(update={"gold": (CASES[0].gold or 0) % 5 + 1})
    write_targets([other], teacher, output)
    assert len(Stub.seen) == 1


def test_requests_are_under_way_at_once(tmp_path: Path) -> None:
    met = threading.Barrier(3, timeout=20)  # breaks unless three requests wait for each other

    class Together(Stub):
        def do_POST(self) -> None:
            met.wait()
            super().do_POST()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Together)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Stub.replies = {case.narrative: text for case, text in zip(CASES, GOOD, strict=True)}
    found = taught_by(CASES, f"http://127.0.0.1:{server.server_port}/v1")
    server.shutdown()
    assert [target.text for target in found] == GOOD


def test_nobody_at_the_address_is_one_clear_sentence() -> None:
    with pytest.raises(InputError, match="Is the server running"):
        taught_by(CASES[:1], "http://127.0.0.1:9/v1")


def test_written_targets_are_read_back_and_a_damaged_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "targets.jsonl"
    assert write_targets(CASES, None, file) == (3, 0)
    assert read_targets(file) == {case.case_id: text for case, text in zip(CASES, GOOD, strict=True)}
    file.write_text(file.read_text(encoding="utf-8") + '{"case_id": "x"}\n', encoding="utf-8")
    with pytest.raises(InputError, match="line 4"):
        read_targets(file)
