"""A teacher's targets are kept only where they pass; credentialed rows go to no other machine."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from esi_triage.data.open_corpus import open_cases
from esi_triage.data.rationale import reference_answer
from esi_triage.data.teacher import failing, taught_targets
from esi_triage.errors import InputError
from esi_triage.esi import triage

CASES = list(open_cases(3, seed=12))
GOOD = [reference_answer(case, triage(case.narrative)) for case in CASES]


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


def test_what_passes_is_kept_and_what_fails_is_replaced(endpoint: str) -> None:
    taught = GOOD[0].replace("- Red flags: ", "- Red flags: seen by the teacher; ")
    Stub.replies = {
        CASES[0].narrative: taught,
        CASES[1].narrative: "ESI 3, I would say.",
        CASES[2].narrative: GOOD[2].replace("- Vital signs: ", "- Vital signs: HR 219, "),
    }
    targets = taught_targets(CASES, endpoint, "teacher")
    assert [target.taught for target in targets] == [True, False, False]
    assert [target.text for target in targets] == [taught, *GOOD[1:]]
    assert targets[1].why_not == "not the format"
    assert "219" in (targets[2].why_not or "")
    assert Stub.seen[0]["model"] == "teacher"
    assert f"ESI {CASES[0].gold}" in str(Stub.seen[0]["messages"])


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
    found = failing(change(GOOD[0], gold), CASES[0], triage(CASES[0].narrative))
    assert found is not None
    assert why_not in found
    assert failing(GOOD[0], CASES[0], triage(CASES[0].narrative)) is None


def test_credentialed_rows_stay_on_this_machine(endpoint: str) -> None:
    secret = [case.model_copy(update={"licence": "credentialed"}) for case in CASES]
    with pytest.raises(InputError, match="credentialed"):
        taught_targets(secret, "https://api.example.com/v1", "teacher")
    Stub.replies = {case.narrative: text for case, text in zip(CASES, GOOD, strict=True)}
    assert all(target.taught for target in taught_targets(secret, endpoint, "teacher"))


def test_a_server_of_another_kind_is_one_clear_sentence(endpoint: str) -> None:
    Stub.replies = {}
    with pytest.raises(InputError, match=r"OpenAI-compatible.*127\.0\.0\.1:8000"):
        taught_targets(CASES[:1], endpoint, "teacher")
