"""The routes under /v1."""

from typing import Annotated

from fastapi import APIRouter, Header, Request

from ...notice import NOTICE
from ..advice import Advice
from ..decision_log import Record
from ..service import FieldError, Service
from .messages import (
    BatchRequest,
    DecisionRequest,
    LogHead,
    LogRecord,
    ModelFacts,
    TriageRequest,
    problems,
)
from .model_facts import attributes

RequestId = Annotated[str | None, Header(alias="X-Request-ID", max_length=200, pattern=r"^[\x21-\x7e]+$")]


def rest_router(service: Service) -> APIRouter:
    """The routes that answer with `service`."""
    routes = APIRouter(prefix="/v1")

    async def check(given: TriageRequest, where: str = "") -> None:
        service.check(given.narrative, given.signs(), where)
        if given.previous is not None and await service.found(given.previous) is None:
            unknown = "the decision log has no advice of that id"
            raise FieldError(f"{where}previous", unknown, "leave it out, or correct it")

    async def advise(given: TriageRequest, request: Request, request_id: str | None) -> Advice:
        actor = actor_of(request)
        return await service.advise(
            given.narrative, given.signs(), "api", request_id, given.previous, actor, given.own_level
        )

    @routes.post("/triage", summary="Advice on one note", responses=problems(400, 413, 422, 503))
    async def triage(given: TriageRequest, request: Request, request_id: RequestId = None) -> Advice:
        """A level, or null and the reasons why a person decides. The record is in the log before this answer leaves."""
        await check(given)
        return await advise(given, request, request_id)

    @routes.post("/triage/batch", summary="Advice on several notes", responses=problems(400, 413, 422, 503))
    async def batch(given: BatchRequest, request: Request, request_id: RequestId = None) -> list[Advice]:
        """The advice on each note, in order. One wrong case, or a full queue, refuses all before any is answered."""
        for place, case in enumerate(given.cases):
            await check(case, f"cases.{place}.")
        # Nothing is waited for between two cases, so the place in the queue goes from the one to the next.
        return [await advise(case, request, request_id) for case in given.cases]

    @routes.post("/decisions", summary="What a person decided", status_code=201, responses=problems(400, 413, 422, 503))
    async def decisions(given: DecisionRequest, request: Request) -> LogRecord:
        """Keep the person's level beside the advice; a level that differs needs a reason."""
        row = await service.decided(given.record, given.level, given.reason, given.comment, actor_of(request))
        return _log_record(row)

    @routes.get("/model", summary="What is known of the model", responses=problems())
    async def model() -> ModelFacts:
        """The model's identity and the 31 source attributes of ONC 170.315(b)(11)."""
        return ModelFacts(model=service.identity, attributes=attributes(service.identity), notice=NOTICE)

    @routes.get("/log/head", summary="The newest row of the decision log", responses=problems(503))
    async def log_head() -> LogHead:
        """Copy it off this machine from time to time: with it, `esi log verify` also finds rows that were cut off."""
        head = await service.in_log_thread(service.log.head)
        return LogHead(head=None if head is None else _log_record(head))

    return routes


def actor_of(request: Request) -> str | None:
    """The user name that the caller gave, where the service asks for one."""
    return getattr(request.state, "actor", None)


def _log_record(row: Record) -> LogRecord:
    return LogRecord(id=row.id, sequence=row.sequence, time=row.time, hash=row.hash)
