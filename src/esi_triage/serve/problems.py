"""Errors as problem+json (RFC 9457): what is wrong, in which field, and what to do."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException

from ..errors import InputError
from .decision_log import LogUnavailable
from .service import FieldError, QueueFullError

log = logging.getLogger("esi.serve")

NO_ROW = "No advice leaves before it is in the decision log, and the log cannot be written. Tell who runs the service."


class FieldProblem(BaseModel):
    """One field that is wrong, and what to do about it."""

    field: str
    detail: str
    fix: str


class Problem(BaseModel):
    """A refused or failed request."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = []


def problem_response(
    status: int, detail: str, errors: Sequence[FieldProblem] = (), headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The answer to a request that is refused or that failed."""
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=list(errors))
    return JSONResponse(body.model_dump(), status, headers, media_type="application/problem+json")


def queue_full_response(error: QueueFullError) -> JSONResponse:
    """The answer where more cases wait than the service may hold."""
    return problem_response(503, f"Too many cases wait; {error}.", headers={"Retry-After": str(error.retry_after)})


def add_handlers(app: FastAPI) -> None:
    """Every error of `app` leaves as problem+json; none shows what was sent."""

    @app.exception_handler(RequestValidationError)
    async def _(_: Request, error: RequestValidationError) -> JSONResponse:
        found = [_field_problem(item) for item in error.errors()]
        status = 400 if any(item["type"] == "json_invalid" for item in error.errors()) else 422
        return problem_response(status, f"{found[0].field}: {found[0].detail}", found)

    @app.exception_handler(FieldError)
    async def _(_: Request, error: FieldError) -> JSONResponse:
        found = FieldProblem(field=error.field, detail=error.detail, fix=error.fix)
        return problem_response(422, str(error), [found])

    @app.exception_handler(InputError)
    async def _(_: Request, error: InputError) -> JSONResponse:
        return problem_response(422, str(error))

    @app.exception_handler(QueueFullError)
    async def _(_: Request, error: QueueFullError) -> JSONResponse:
        return queue_full_response(error)

    @app.exception_handler(LogUnavailable)
    async def _(_: Request, error: LogUnavailable) -> JSONResponse:
        log.error("decision log unavailable", extra={"facts": {"reason": str(error)}})
        return problem_response(503, NO_ROW)

    @app.exception_handler(HTTPException)
    async def _(_: Request, error: HTTPException) -> JSONResponse:
        return problem_response(error.status_code, str(error.detail), headers=error.headers)

    @app.exception_handler(Exception)
    async def _(_: Request, error: Exception) -> JSONResponse:
        return problem_response(500, "The service failed. Nothing was decided; a person decides.")


def describe_problems(app: FastAPI) -> None:
    """Put `Problem` into the OpenAPI description of `app`, whose routes name it; after the last route was added."""
    _, schemas = models_json_schema([(Problem, "serialization")], ref_template="#/components/schemas/{model}")
    app.openapi()["components"]["schemas"] |= schemas["$defs"]


def _field_problem(error: Mapping[str, Any]) -> FieldProblem:
    place = [str(part) for part in error["loc"] if part != "body"]
    kind, said = error["type"], str(error["msg"]).removeprefix("Value error, ")
    detail, fix = {
        "missing": ("is missing", "give it"),
        "extra_forbidden": ("is not known", "leave it out; /docs lists the fields"),
        "json_invalid": ("is no JSON that can be read", "send one JSON object as application/json"),
        "finite_number": ("is no finite number", "give a number, or leave it out where it was not recorded"),
    }.get(kind, (_lower(said), "correct it; /docs lists the fields, their kinds and ranges"))
    return FieldProblem(field=".".join(place) if kind != "json_invalid" else "(body)", detail=detail, fix=fix)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
