"""The application: the page, the REST interface, CDS Hooks, health and metrics, behind one gateway."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.types import ASGIApp

from ..data.credentialed import refuse_remote
from ..errors import InputError
from ..notice import NOTICE
from ..predict import Model
from ..predict.load import find_model, guarded_url
from .cds_hooks import PREFIX, CdsSettings, router
from .decision_log import open_log
from .gateway import Gateway
from .problems import add_handlers, describe_problems, problem_response
from .rest.routes import rest_router
from .service import LICENCE, Service
from .settings import Settings
from .web.pages import page_router


def make_service(settings: Settings) -> Service:
    """The service that `settings` describe, its model loaded and its log open. Raises InputError."""
    model = find_served_model(settings)
    kept = settings.log
    return Service(settings, model, open_log(Path(kept.file), kept.retention_days, kept.keep_text))


def find_served_model(settings: Settings) -> Model:
    """The model that answers: the named one, else the guard."""
    given = settings.model
    if given.endpoint and not given.name:
        raise InputError("model.name: is missing; model.endpoint needs the model's name there.")
    name = given.name or "guard"
    url, agreement = given.endpoint or guarded_url(name), given.agreement or None
    if url:
        refuse_remote([LICENCE], url, agreement, "model.agreement =")
    # One request a note, which ends with the note's deadline: a request that hangs would keep the thread from the next.
    once = {"timeout": given.deadline_seconds, "attempts": 1}
    return find_model(name, endpoint=url, agreement=agreement, **once)


def make_app(service: Service) -> ASGIApp:
    """The ASGI application of `service`, which has warmed up. It closes the log when it ends."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()

    app = FastAPI(
        title="esi-triage",
        version=version("esi-triage"),
        description=NOTICE,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        max_body_size=service.settings.server.max_body_kib * 1024,
    )
    add_handlers(app)
    app.include_router(rest_router(service))
    app.include_router(page_router(service, app), include_in_schema=False)
    hooks = service.settings.cds_hooks
    public_url = service.settings.server.public_url
    app.include_router(
        router(service, CdsSettings(public_url=public_url, origins=hooks.origins, clients=hooks.clients))
    )
    _add_health(app, service)
    describe_problems(app)
    own_access = (PREFIX,) if hooks.clients else ()  # they bring signed tokens of their own
    return Gateway(app, service, own_access)


def _add_health(app: FastAPI, service: Service) -> None:
    @app.get("/healthz", summary="Is the process alive?")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", summary="Can it answer?", response_model=None, responses={503: {"description": "Not now."}})
    async def readyz() -> Response:
        """200 only where an advice could be given and logged now."""
        trouble = await service.trouble()
        if trouble:
            return problem_response(503, f"Not ready: {trouble}.")
        return JSONResponse({"status": "ready", "model": service.identity.name})

    @app.get("/metrics", summary="Counts and times for Prometheus", response_class=Response)
    async def metrics() -> Response:
        return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)
