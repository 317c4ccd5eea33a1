"""What every request passes: who may call, which host was meant, safe headers, one line of log, one count."""

import base64
import binascii
import json
import logging
import secrets
import sys
import time
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .problems import problem_response, queue_full_response
from .service import QueueFullError, Service

log = logging.getLogger("esi.serve")

ASKS_NOBODY = ("/healthz", "/readyz")
ASKS_ADVICE = ("/v1/triage", "/v1/triage/batch")
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})


class Gateway:
    """Wraps an ASGI application.

    With a token, a caller sends it as `Authorization: Bearer TOKEN`, or, as a browser does when asked, as the password
    of HTTP Basic; the user name is then the actor in the log. Without one, the Host header must name this machine or
    one of `server.hosts`: a page elsewhere could otherwise reach the service through a name that it makes up.

    A note that finds the queue full is refused here, before its body is read: a refusal must cost far less than an
    answer, or refusing takes the time that the answers need. The pages and CDS Hooks say it in a form of their own.
    """

    def __init__(self, app: ASGIApp, service: Service, own_access: tuple[str, ...]) -> None:
        settings = service.settings
        self.app, self.service, self.metrics = app, service, service.metrics
        self.token = settings.token
        named = {name for host in settings.server.hosts for name in (host.lower(), _host(host))}
        self.hosts = _THIS_MACHINE | named | {urlsplit(settings.server.public_url).hostname or ""}
        self.any_host = self.token is not None or (settings.server.allow_remote and not settings.server.hosts)
        self.open_paths = (*ASKS_NOBODY, *own_access)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.monotonic(), 500

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await (self._refusal(scope) or self.app)(scope, receive, told)
        finally:
            self._tell(scope, status, time.monotonic() - began)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        if not self.any_host and _host(headers.get("host", "")) not in self.hosts:
            return problem_response(421, "The Host header names another machine. Add the name to server.hosts.")
        if self.token is None or scope["path"].startswith(self.open_paths):
            return self._refusal_of_note(scope)
        actor, given = _credentials(headers.get("authorization", ""))
        if not secrets.compare_digest(given.encode(), self.token.encode()):
            asked = {"WWW-Authenticate": 'Basic realm="esi serve", charset="UTF-8"'}
            return problem_response(401, "Send the token: Authorization: Bearer TOKEN.", headers=asked)
        scope.setdefault("state", {})["actor"] = actor
        return self._refusal_of_note(scope)

    def _refusal_of_note(self, scope: Scope) -> ASGIApp | None:
        if scope["method"] != "POST" or scope["path"] not in ASKS_ADVICE:
            return None
        try:
            self.service.refuse_if_full()
        except QueueFullError as error:
            return queue_full_response(error)
        return None

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        refused_here = scope["path"] if scope["path"] in ASKS_ADVICE else "(none)"
        route = getattr(scope.get("route"), "path", refused_here)
        method = scope["method"] if scope["method"] in ("GET", "POST", "HEAD", "OPTIONS") else "other"
        self.metrics.requests.labels(route, method, str(status)).inc()
        facts = {"route": route, "method": method, "status": status, "ms": round(seconds * 1000, 1)}
        log.info("request", extra={"facts": facts})


def _host(header: str) -> str:
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def _credentials(header: str) -> tuple[str | None, str]:
    """Who calls, and the token that they send; an empty token where there is none."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return None, value.strip()
    if scheme.lower() != "basic":
        return None, ""
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, ""
    return user or None, password


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, event, and the facts that the caller names. Never a text of a request."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = {"time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"), "level": record.levelname.lower()}
        line |= {"event": record.getMessage(), **getattr(record, "facts", {})}
        if record.exc_info and record.exc_info[2]:  # where it failed and how, without the values
            trace = record.exc_info[2]
            while trace.tb_next:
                trace = trace.tb_next
            code = trace.tb_frame.f_code
            line["error"] = f"{getattr(record.exc_info[0], '__name__', '')} in {code.co_name}, line {trace.tb_lineno}"
        return json.dumps(line, ensure_ascii=True)


def log_as_json_lines() -> None:
    """Send what the service and uvicorn have to say to standard error, one JSON object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name, level in (("esi.serve", logging.INFO), ("uvicorn", logging.WARNING), ("uvicorn.error", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler] if name != "uvicorn.error" else [], name == "uvicorn.error"
        logger.setLevel(level)
