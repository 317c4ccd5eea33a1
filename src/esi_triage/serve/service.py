"""One service: a model, the rules beside it, and the decision log. No advice leaves before its row is in the log."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from typing import Any, TypeVar

from pydantic import ValidationError

from ..errors import InputError
from ..esi import Case, Licence
from ..predict import Model, Reply, ask
from ..predict.model import Reading, no_reply
from ..predict.rules_model import reading_of, reply_from
from .advice import (
    Advice,
    ModelIdentity,
    conflicts,
    full_text,
    missing_signs,
    not_excluded,
    own_reasons,
    reasons_of,
)
from .decision_log import DecisionLog, LogUnavailable, Record
from .reason_words import override_words
from .service_metrics import ServiceMetrics
from .settings import Settings

log = logging.getLogger("esi.serve")

PROBE = "54 y/o M, chest pain, sweating. BP 150/90, HR 104, RR 18, SpO2 96 %, T 36.8 °C, pain 7/10"
LICENCE: Licence = "credentialed"
"""What every note counts as, so that none goes to an endpoint elsewhere unasked."""
_NOTE = {"case_id": "1", "source": "service", "licence": LICENCE}
_FRESH_SECONDS = 30.0
"""How long a good answer of the model stands for its health, and a failed row for a log that cannot be written."""
_LOG_THREADS = 8  # several wait for the disk at once, so that the log may write their rows together

_ONE_OF = f"give one of {', '.join(override_words())}"

_Value = TypeVar("_Value")


class QueueFullError(Exception):
    """More cases wait than the service may hold; ask again after `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"the queue is full; ask again in {retry_after} s")
        self.retry_after = retry_after


class FieldError(InputError):
    """A field of a request that is wrong: which, what is wrong with it, and what to do."""

    def __init__(self, field: str, detail: str, fix: str) -> None:
        super().__init__(f"{field}: {detail}; {fix}.")
        self.field, self.detail, self.fix = field, detail, fix


class Service:
    """Answers notes and takes decisions; every answer and every decision is a row of `log` before it leaves."""

    def __init__(self, settings: Settings, model: Model, log: DecisionLog) -> None:
        self.settings = settings
        self.model = model
        self.log = log
        self.metrics = ServiceMetrics()
        self.identity = ModelIdentity(model.name, version("esi-triage"), model.identity, model.notice)
        self._rules = ThreadPoolExecutor(1, "rules")
        self._models = ThreadPoolExecutor(settings.model.threads, "model")
        self._logs = ThreadPoolExecutor(_LOG_THREADS, "log")
        self._inside = 0
        self._answered = float("-inf")
        self._log_failed = float("-inf")

    async def warm(self) -> None:
        """Answer one note with the rules and the model, without a deadline and without a row: the first is slow."""
        await self._timed("rules", self._rules, _by_rules, PROBE)
        reply = await self._timed("model", self._models, self._by_model, _case(PROBE, {}))
        if not reply.error:
            self._answered = time.monotonic()

    async def trouble(self) -> str | None:
        """Why the service cannot answer now, or null where it can. A model that was silent for long is asked."""
        if time.monotonic() - self._log_failed < _FRESH_SECONDS:
            return "the decision log cannot be written"
        if time.monotonic() - self._answered < _FRESH_SECONDS:
            return None
        reply = await self._model_reply(_case(PROBE, {}))
        return f"the model does not answer ({reply.error})" if reply.error else None

    async def advise(
        self,
        narrative: str,
        vitals: Mapping[str, float] | None,
        source: str,
        request_id: str | None,
        previous: str | None = None,
        actor: str | None = None,
        own_level: int | None = None,
    ) -> Advice:
        """Advice on one note. `vitals` by name and in the units of `esi.VITAL_SIGNS`; `source` is who asks (page, api).

        `previous` is the record that this one follows (a patient triaged again), `own_level` what the person said
        before seeing the advice. Raises QueueFullError, LogUnavailable
        where the row cannot be kept, InputError for a note or value that makes no case.
        """
        began = time.monotonic()
        given = dict(vitals or {})
        case = self.check(narrative, given)
        with self._place():
            advice = await self._advice(case, narrative, given)
            asked = {"source": source, "request": request_id, "actor": actor, "own_level": own_level}
            body = {**asked, **_row(advice), "milliseconds": round((time.monotonic() - began) * 1000, 1)}
            record = await self._append("advice", body, case.narrative, previous)
        self.metrics.count(advice)
        self.metrics.seconds.labels("total").observe(time.monotonic() - began)
        return replace(advice, record=record.id, previous=previous)

    async def decided(
        self,
        record: str,
        level: int,
        reason: str | None = None,
        comment: str | None = None,
        actor: str | None = None,
        source: str = "api",
    ) -> Record:
        """Keep the level (1 to 5) that a person chose after the advice `record`, and why (a code of reasons.toml).

        Raises InputError where there is no such record, or where the level differs from the advice without a reason.
        """
        found = await self.found(record)
        if found is None:
            raise FieldError("record", "the decision log has no advice of that id", "give the id that the advice has")
        advised = found.get("level")
        if advised is not None and advised != level and reason is None:
            raise FieldError("reason", f"is missing: the advice was ESI {advised}, the decision ESI {level}", _ONE_OF)
        if reason is not None and reason not in override_words():
            raise FieldError("reason", "is not known", _ONE_OF)
        body = {"advice": record, "advised": advised, "level": level, "reason": reason, "actor": actor}
        row = await self._append("decision", {**body, "source": source}, comment, record)
        self.metrics.count_decision(advised, level)
        return row

    async def found(self, record: str) -> Mapping[str, Any] | None:
        """The logged body of an advice, or null where the log has none of that id."""
        row = await self.in_log_thread(self.log.get, record)
        return row.body if row is not None and row.kind == "advice" else None

    async def in_log_thread(self, work: Callable[..., _Value], *given: Any, **named: Any) -> _Value:
        """Read from the log without holding up the other requests."""
        return await asyncio.get_running_loop().run_in_executor(self._logs, lambda: work(*given, **named))

    def close(self) -> None:
        """Take no more work, and close the log."""
        for pool in (self._rules, self._models, self._logs):
            pool.shutdown(wait=pool is self._logs, cancel_futures=True)
        self.log.close()

    def check(self, narrative: str, vitals: Mapping[str, float], where: str = "") -> Case:
        """The note as a case, or a FieldError for what makes none; `where` stands before the field's name."""
        most = self.settings.model.max_note_characters
        if len(narrative) > most:
            raise FieldError(f"{where}narrative", f"has {len(narrative)} characters", f"give {most} at most")
        if not narrative.strip():
            raise FieldError(
                f"{where}narrative", "is empty", "write what the triage nurse knows: complaint, vital signs"
            )
        return _case(full_text(narrative, vitals), vitals, where)

    def refuse_if_full(self) -> None:
        """Raise QueueFullError where as many cases wait or are under way as the settings allow."""
        if self._inside >= self.settings.model.queue:
            self.metrics.refused.inc()
            raise QueueFullError(retry_after=max(1, round(self.settings.model.deadline_seconds / 2)))

    @contextmanager
    def _place(self) -> Iterator[None]:
        self.refuse_if_full()
        self._inside += 1
        self.metrics.waiting.set(self._inside)
        try:
            yield
        finally:
            self._inside -= 1
            self.metrics.waiting.set(self._inside)

    async def _advice(self, case: Case, narrative: str, vitals: Mapping[str, float]) -> Advice:
        (findings, decision), by_rules = await self._timed("rules", self._rules, _by_rules, case.narrative)
        reply = by_rules if self.model.name == "rules" else await self._model_reply(case)
        codes, differing = [reply.error] if reply.error else [], conflicts(narrative, vitals)
        if reply.error:
            reply = by_rules
        codes += ["vitals-conflict"] if differing else []
        codes += reply.hand_over
        if reply is by_rules or not self.model.judges:
            codes += own_reasons(reply, decision, case.narrative, self.settings.hand_over.widest_set)
        return Advice(
            level=None if codes else reply.level,
            likeliest=reply.level,
            set=not_excluded(reply, decision),
            probabilities=reply.probabilities,
            hand_over=reasons_of(codes),
            steps=decision.steps if by_rules.level else (),
            missing=missing_signs(findings),
            rules_level=by_rules.level,
            possible=tuple(by_rules.possible or ()),
            warnings=(*differing, *reply.warnings),
            text=case.narrative,
            model=self.identity,
            degraded=bool({"deadline", "model-failed"} & {*codes}),
        )

    async def _model_reply(self, case: Case) -> Reply:
        """The model's reply; where none came, one whose error is the code of the reason (reasons.toml)."""
        try:
            async with asyncio.timeout(self.settings.model.deadline_seconds):
                reply = await self._timed("model", self._models, self._by_model, case)
        except TimeoutError:
            return no_reply("deadline")
        except Exception:  # whatever breaks in a model, the rules still answer, and the log of the process says so
            log.exception("model failed")
            return no_reply("model-failed")
        if reply.error:
            log.error("model failed", extra={"facts": {"reason": "no reply"}})
            return no_reply("model-failed")
        self._answered = time.monotonic()
        return reply

    def _by_model(self, case: Case) -> Reply:
        return ask(self.model, [case])[0]

    async def _append(self, kind: Any, body: Mapping[str, Any], text: str | None, previous: str | None) -> Record:
        try:
            return await self._timed("log", self._logs, self.log.append, kind, body, text, previous)
        except LogUnavailable:
            self._log_failed = time.monotonic()
            self.metrics.log_failures.inc()
            raise

    async def _timed(self, stage: str, pool: ThreadPoolExecutor, work: Callable[..., _Value], *given: Any) -> _Value:
        with self.metrics.seconds.labels(stage).time():
            return await asyncio.get_running_loop().run_in_executor(pool, work, *given)


def _by_rules(text: str) -> tuple[Reading, Reply]:
    reading = reading_of(text)
    return reading, reply_from(reading)


def _case(text: str, vitals: Mapping[str, float], where: str = "") -> Case:
    """The note as a case."""
    try:
        return Case.model_validate({**_NOTE, "narrative": text, **vitals})
    except ValidationError as error:
        wrong = error.errors()[0]
        name, said = ".".join(map(str, wrong["loc"])), wrong["msg"].removeprefix("Value error, ")
        raise FieldError(
            f"{where}vitals.{name}", said, "correct it, or leave it out where it was not recorded"
        ) from None


def _row(advice: Advice) -> dict[str, Any]:
    """What the log keeps of an advice: no word of the note."""
    return {
        "level": advice.level,
        "likeliest": advice.likeliest,
        "set": list(advice.set),
        "probabilities": None if advice.probabilities is None else list(advice.probabilities),
        "hand_over": [reason.code for reason in advice.hand_over],
        "steps": {step.point: step.answer for step in advice.steps},
        "rules_level": advice.rules_level,
        "possible": list(advice.possible),
        "missing": list(advice.missing),
        "model": {"name": advice.model.name, "version": advice.model.version, "identity": advice.model.identity},
        "degraded": advice.degraded,
    }
