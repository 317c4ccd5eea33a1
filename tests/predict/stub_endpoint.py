"""A chat endpoint on this machine that fails as it is told to."""

import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def chat(text: str | None, ended: str = "stop") -> dict[str, Any]:
    return {
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": ended}],
        "usage": {"completion_tokens": 7},
    }


class Stub(ThreadingHTTPServer):
    """`faults` are, by narrative, what its requests meet in turn; after the last comes an answer with its level.

    A fault is a status, (status, headers, body), "drop", a number of seconds (a float) to be silent for, or a body.
    `answers` is how many requests are answered; those beyond are held until their client has gone.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.faults: dict[str, list[Any]] = {}
        self.always: Any = None
        self.asked: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.under_way = self.most_under_way = 0
        self.slow = 0.0
        self.answers: int | None = None
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is no news."""


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        stub = self.server
        assert isinstance(stub, Stub)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        narrative = body["messages"][1]["content"]
        with stub.lock:
            stub.bodies.append(body)
            stub.headers.append({name.lower(): value for name, value in self.headers.items()})
            stub.under_way += 1
            stub.most_under_way = max(stub.most_under_way, stub.under_way)
            turn = stub.asked[narrative]
            stub.asked[narrative] += 1
            number = stub.asked.total()
        time.sleep(stub.slow)
        with stub.lock:  # before the answer goes out: the client that reads it may ask again at once
            stub.under_way -= 1
        faults = stub.faults.get(narrative, [])
        if stub.answers is not None and number > stub.answers:
            self.rfile.read(1)  # returns when the client has gone
            raise ConnectionAbortedError
        self.meet(faults[turn] if turn < len(faults) else stub.always or chat(answer_to(narrative)))

    def meet(self, fault: Any) -> None:
        if fault == "drop":
            self.connection.close()
            return
        if isinstance(fault, float):
            time.sleep(fault)
            fault = 500
        status, headers, body = fault if isinstance(fault, tuple) else (fault, {}, "")
        if not isinstance(status, int):
            status, body = 200, status
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def level_of(narrative: str) -> int:
    return sum(map(ord, narrative)) % 5 + 1


def answer_to(narrative: str) -> str:
    return f"ANSWER: ESI {level_of(narrative)}"
