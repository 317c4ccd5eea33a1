"""The endpoints of CDS Hooks 2.0. A failure is an OperationOutcome with its status, never an empty list of cards."""

import logging
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from ...errors import InputError
from ..decision_log import LogUnavailable
from .card_feedback import keep_feedback
from .cards import advice_card
from .client_tokens import CdsSettings, token_check
from .hook_requests import SERVICES, asked, discovery, request_object
from .refused import Refused

if TYPE_CHECKING:
    from ..service import Service  # it has settings, and they have ours

PREFIX = "/cds-services"
_LOG = logging.getLogger("esi.serve")


def router(service: "Service", settings: CdsSettings | None = None) -> APIRouter:
    """The endpoints in front of `service`. Raises InputError where the clients' keys cannot be read."""
    settings = settings or CdsSettings()
    made = APIRouter(route_class=_route_class(settings), include_in_schema=False)

    @made.get(PREFIX)
    async def services() -> Response:
        return JSONResponse(discovery())

    @made.post(f"{PREFIX}/{{id}}")
    async def advise(id: str, request: Request) -> Response:
        _known(id)
        wanted = asked(id, request_object(await request.body()))
        visit = wanted.visit
        advice = await service.advise(
            visit.narrative, visit.vitals, source="cds-hooks", request_id=wanted.instance, actor=wanted.user
        )
        return JSONResponse({"cards": [advice_card(advice, visit, wanted.patient)]})

    @made.post(f"{PREFIX}/{{id}}/feedback")
    async def feedback(id: str, request: Request) -> Response:
        _known(id)
        body = request_object(await request.body())
        for row in await run_in_threadpool(keep_feedback, service.log, id, body):
            service.metrics.count_decision(row.body["advised"], row.body["level"])
        return JSONResponse({})

    @made.options(f"{PREFIX}{{rest:path}}")
    async def preflight(rest: str) -> Response:
        return Response(status_code=204)

    return made


def _refuse_pages_elsewhere(request: Request, settings: CdsSettings) -> None:
    """A browser sends plain text to anybody without asking first, and says whose page it was in Origin."""
    origin = request.headers.get("origin")
    own = {_host(f"//{request.headers.get('host', '')}"), _host(settings.public_url)} - {""}
    if origin is not None and origin not in settings.origins and _host(origin) not in own:
        raise Refused(403, "forbidden", "Origin: pages of that origin may not call; cds_hooks.origins lists who may.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and kind != "application/json" and not kind.endswith("+json"):
        raise Refused(415, "structure", "Content-Type: send application/json.")


def _host(url: str) -> str:
    """Host and port; "" for what is no URL."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def _known(id: str) -> None:
    if id not in SERVICES:
        raise Refused(404, "not-found", f"no service of that id; there are {', '.join(SERVICES)}.")


def _route_class(settings: CdsSettings) -> type[APIRoute]:
    check = token_check(settings)

    class CdsRoute(APIRoute):
        """Asks for the token, turns every failure into an OperationOutcome, and answers browsers that may call."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            answer = super().get_route_handler()

            async def handler(request: Request) -> Response:
                try:
                    if request.method != "OPTIONS":  # a browser's preflight carries no token
                        _refuse_pages_elsewhere(request, settings)
                        check(request.headers.get("authorization", ""), request.url.path)
                    response = await answer(request)
                except Exception as error:
                    response = _failure(error)
                response.headers.update(_cors(request, settings.origins))
                return response

            return handler

    return CdsRoute


def _failure(error: Exception) -> Response:
    """The answer to a request that failed. 503 where it may be sent again, 5xx where it is not the client's fault."""
    retry_after = getattr(error, "retry_after", None)  # the service's queue is full
    if isinstance(error, Refused):
        return _outcome(error.status, error.code, str(error))
    if isinstance(error, InputError):
        return _outcome(422, "value", str(error))
    if isinstance(error, LogUnavailable):
        return _outcome(
            503, "exception", "The decision log cannot be written, so no advice leaves.", {"Retry-After": "30"}
        )
    if retry_after is not None:
        return _outcome(503, "throttled", "Too many cases wait.", {"Retry-After": str(retry_after)})
    if isinstance(error, HTTPException):
        return _outcome(error.status_code, "processing", str(error.detail))
    _LOG.error("cds-hooks failed", exc_info=error)
    return _outcome(500, "exception", "The service failed. Nothing was advised; a person decides.")


def _outcome(status: int, code: str, says: str, headers: dict[str, str] | None = None) -> Response:
    issue = {"severity": "error", "code": code, "diagnostics": says}
    body = {"resourceType": "OperationOutcome", "issue": [issue]}
    return JSONResponse(body, status, headers, media_type="application/fhir+json")


def _cors(request: Request, origins: list[str]) -> dict[str, str]:
    origin = request.headers.get("origin")
    if origin is None or origin not in origins:
        return {"Vary": "Origin"}
    return {
        "Vary": "Origin",
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
        "Access-Control-Allow-Headers": "Authorization, Content-Type",
        "Access-Control-Allow-Private-Network": "true",  # Chromium asks before a public page may call this machine
        "Access-Control-Max-Age": "600",
    }
