"""The pages: `/` (one patient's triage), `/log` (what a lead nurse asks), `/docs` (the API), and their styles."""

from datetime import UTC, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from ...esi import LEVELS, VITAL_SIGNS, Level
from ...notice import NOTICE
from ...page import probability_text
from ..advice import Advice
from ..decision_log import LogUnavailable
from ..problems import NO_ROW
from ..reason_words import hand_over_words, override_words
from ..rest.routes import actor_of
from ..service import FieldError, QueueFullError, Service
from .browser_sessions import BrowserSessions, Seen
from .log_page import log_values
from .marked_note import marked_note
from .triage_form import SIGN_NAMES, TriageForm, fields_of, triage_form

_ASSETS = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
_TOO_OLD = "The page was open since before the service was restarted, so nothing was recorded. Send it again."
POINTS = {
    "A": "Does the patient need a life-saving intervention now?",
    "B": "Is it high risk, new confusion, or severe pain or distress?",
    "C": "How many kinds of resource will be needed?",
    "D": "Are vital signs in the danger zone?",
}


def page_router(service: Service, app: FastAPI) -> APIRouter:
    """The routes of the pages."""
    routes = APIRouter()
    sessions = BrowserSessions(service.settings.page.history)
    secure = bool(service.settings.server.tls_certificate) or service.settings.server.public_url.startswith("https:")

    def shown(request: Request, name: str, status: int = 200, **values: Any) -> HTMLResponse:
        form = values.pop("form", TriageForm())
        base = {"form": form, "advice": None, "decided": None, "trouble": None, "token": sessions.form_token(name)}
        page = render("triage.html", **{**base, "history": sessions.seen(name), "model": service.identity, **values})
        response = HTMLResponse(page, status)
        sessions.keep(response, name, secure)
        return response

    @routes.get("/")
    async def start(request: Request) -> Response:
        return shown(request, sessions.name(request))

    @routes.post("/")
    async def triage(request: Request) -> Response:
        name, fields = sessions.name(request), fields_of(await request.body())
        form = triage_form(fields, service.settings.model.max_note_characters)
        if not sessions.is_own(name, fields.get("token", "")):
            return shown(request, name, 403, form=form, trouble=_TOO_OLD)
        if form.wrong:
            return shown(request, name, 422, form=form)
        try:
            advice = await _advice(service, form, actor_of(request))
        except (QueueFullError, LogUnavailable, FieldError) as error:
            return shown(request, name, 422 if isinstance(error, FieldError) else 503, form=form, trouble=_said(error))
        sessions.add(name, Seen(advice.record, _now(), form.own, advice.level, advice.previous))
        return shown(request, name, form=form, advice=advice, pieces=marked_note(advice.text, advice.steps))

    @routes.post("/decision")
    async def decision(request: Request) -> Response:
        name, fields = sessions.name(request), fields_of(await request.body())
        form = triage_form(fields, service.settings.model.max_note_characters)
        if not sessions.is_own(name, fields.get("token", "")):
            return shown(request, name, 403, form=form, trouble=_TOO_OLD)
        record, level = fields.get("record", ""), fields.get("agree") or fields.get("level", "")
        reason = None if fields.get("agree") else fields.get("reason") or None
        try:
            if level not in tuple("12345"):
                raise FieldError("level", "is missing", "choose the level that you give the patient")
            await service.decided(record, int(level), reason, fields.get("comment") or None, actor_of(request), "page")
        except (LogUnavailable, FieldError) as error:
            status, retry = 422 if isinstance(error, FieldError) else 503, {"record": record, "level": level}
            return shown(request, name, status, form=form, trouble=_said(error), undecided=retry)
        sessions.decided(name, record, int(level))
        return shown(request, name, form=form, decided={"record": record, "level": int(level), "reason": reason})

    @routes.get("/log")
    async def log(request: Request) -> Response:
        values = await log_values(service, dict(request.query_params))
        return HTMLResponse(render("log.html", model=service.identity, **values))

    @routes.get("/docs")
    async def docs(request: Request) -> Response:
        return HTMLResponse(render("docs.html", model=service.identity, api=app.openapi()))

    @routes.get("/static/{name}")
    async def asset(name: str) -> Response:
        kind = _ASSETS.get(name)
        if kind is None:
            return Response(status_code=404)
        return Response(_asset(name), media_type=kind, headers={"Cache-Control": "max-age=3600"})

    return routes


def render(template: str, **values: Any) -> str:
    """A page of this folder."""
    return _environment().get_template(template).render(**values)


async def _advice(service: Service, form: TriageForm, actor: str | None) -> Advice:
    previous = form.previous or None
    if previous is not None and await service.found(previous) is None:
        raise FieldError("previous", "the decision log has no advice of that id", "start with a new patient")
    return await service.advise(form.narrative, form.vitals, "page", None, previous, actor, form.own)


def _said(error: Exception) -> str:
    """An error as the person reads it."""
    if isinstance(error, LogUnavailable):
        return NO_ROW
    if isinstance(error, QueueFullError):
        return f"Too many patients wait for advice. Decide yourself, or send it again in {error.retry_after} seconds."
    return str(error)


def _now() -> str:
    return datetime.now(UTC).strftime("%H:%M")


def percent_or_dash(value: float | None) -> str:
    """`61 %`, or a dash."""
    return "–" if value is None else f"{100 * value:.0f} %"


@cache
def _asset(name: str) -> bytes:
    return Path(str(resources.files("esi_triage.serve.web") / "static" / name)).read_bytes()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("esi_triage.serve.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=percent_or_dash, probability=probability_text)
    known: dict[str, Any] = {
        "notice": NOTICE,
        "levels": {level: Level(level).meaning for level in LEVELS},
        "points": POINTS,
        "signs": VITAL_SIGNS,
        "sign_names": SIGN_NAMES,
        "override_words": override_words(),
        "hand_over_words": hand_over_words(),
    }
    environment.globals.update(known)
    return environment
