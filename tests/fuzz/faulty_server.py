"""A chat endpoint on this machine that misbehaves in thirty ways; the narrative of a request says in which."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def chat(content: Any = "ANSWER: ESI 3", **more: Any) -> bytes:
    choice = {"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    return json.dumps({"choices": [choice | more], "usage": {"completion_tokens": 7}}).encode()


BODIES: dict[str, bytes] = {
    "empty": b"",
    "no-json": b"<html>busy</html>",
    "half": chat()[:40],
    "not-utf8": b'{"choices": "caf\xe9"}',
    "nul": b"\0" * 1000,
    "deep": b"[" * 200_000 + b"]" * 200_000,
    "deep-objects": b'{"a":' * 100_000,
    "null": b"null",
    "number": b"17",
    "many-digits": b"9" * 6000,
    "list": b"[1, 2]",
    "no-choices": b'{"choices": []}',
    "choices-object": b'{"choices": {"0": 1}}',
    "no-message": b'{"choices": [{"text": "ESI 2"}]}',
    "content-list": chat(["ESI 2"]),
    "content-number": chat(2),
    "content-null": chat(None),
    "surrogate": b'{"choices": [{"message": {"content": "ESI 2 \\ud800"}}]}',
    "tokens-negative": b'{"choices": [{"message": {"content": "ESI 2"}}], "usage": {"completion_tokens": -5}}',
    "tokens-huge": b'{"choices": [{"message": {"content": "ESI 2"}}], "usage": {"completion_tokens": 1e999}}',
    "usage-list": b'{"choices": [{"message": {"content": "ESI 2"}}], "usage": [1]}',
    "reason-list": chat(finish_reason=["stop"]),
}
STATUSES: dict[str, tuple[int, dict[str, str], bytes]] = {
    "teapot": (418, {}, b"I am"),
    "error-list": (400, {}, b'{"error": ["bad"]}'),
    "param-list": (400, {}, b'{"error": {"param": ["temperature"], "code": {"a": 1}}}'),
    "error-deep": (500, {}, b"[" * 100_000),
    "retry-nan": (503, {"Retry-After": "nan"}, b""),
    "retry-minus": (429, {"Retry-After": "-5"}, b""),
    "no-content": (204, {}, b""),
}
DRIPS = ("drip-body", "drip-header", "large", "drop", "silent")
FAULTS = (*BODIES, *STATUSES, *DRIPS)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fault = next((name for name in FAULTS if f" {name} " in asked["messages"][1]["content"]), None)
        self.close_connection = True
        if fault in DRIPS:
            self._drip(fault)
        else:
            status, headers, body = STATUSES.get(fault or "", (200, {}, BODIES.get(fault or "", chat())))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    def _drip(self, fault: str) -> None:
        if fault == "silent":
            time.sleep(3)
        if fault in ("drop", "silent"):
            return
        if fault == "drip-header":
            self._pieces([b"HTTP/1.1 200 OK\r\nX-Slow: ", *[b"a"] * 200])
            return
        self.send_response(200)
        self.send_header("Content-Length", "50000000")
        self.end_headers()
        pieces = [b" "] * 200 if fault == "drip-body" else (b" " * 100_000 for _ in range(500))
        self._pieces(pieces, pause=0.05 if fault == "drip-body" else 0)

    def _pieces(self, pieces: Any, pause: float = 0.05) -> None:
        for piece in pieces:
            self.wfile.write(piece)
            self.wfile.flush()
            time.sleep(pause)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is no news."""


@contextmanager
def faulty_server() -> Iterator[str]:
    """The base URL of the server, while it runs."""
    server = _Server(("127.0.0.1", 0), _Handler)
    run: Callable[[], None] = server.serve_forever
    threading.Thread(target=run, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
