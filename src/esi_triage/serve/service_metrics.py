"""What `/metrics` says: counts and times, never a text, an id or a name of a person."""

from collections.abc import Iterable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from ..esi import VITAL_SIGNS
from .advice import Advice

_TIMES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class ServiceMetrics:
    """The counters of one service, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        made: dict[str, Any] = {"registry": self.registry}
        self.requests = Counter("esi_http_requests", "Answered requests", ("route", "method", "status"), **made)
        self.seconds = Histogram("esi_stage_seconds", "Time by stage", ("stage",), buckets=_TIMES, **made)
        self.waiting = Gauge("esi_queue_cases", "Cases that wait or are under way", **made)
        self.refused = Counter("esi_refused", "Cases refused because the queue was full", **made)
        self.advice = Counter("esi_advice", "Advice given, by level (none: a person decides)", ("level",), **made)
        self.likeliest = Counter("esi_likeliest", "Likeliest level of each advice", ("level",), **made)
        self.hand_over = Counter("esi_hand_over", "Reasons why a person decides", ("reason",), **made)
        self.degraded = Counter("esi_degraded", "Advice that the rules gave in the model's place", **made)
        self.missing = Counter("esi_missing_vital", "Advice without that vital sign", ("sign",), **made)
        self.decisions = Counter("esi_decisions", "Decisions of persons", ("advised", "chosen"), **made)
        self.log_failures = Counter("esi_log_failures", "Rows that the decision log could not keep", **made)
        for sign in VITAL_SIGNS:  # a rate needs its zero
            self.missing.labels(sign.name)

    def count(self, advice: Advice) -> None:
        """Count one advice."""
        self.advice.labels(_label(advice.level)).inc()
        self.likeliest.labels(_label(advice.likeliest)).inc()
        self.degraded.inc(advice.degraded)
        _count_all(self.hand_over, (reason.code for reason in advice.hand_over))
        _count_all(self.missing, advice.missing)

    def count_decision(self, advised: int | None, chosen: int | None) -> None:
        """Count one person's decision beside the advice; `chosen` null: a card overridden without a level."""
        self.decisions.labels(_label(advised), "overridden" if chosen is None else str(chosen)).inc()

    def text(self) -> bytes:
        """The exposition format of Prometheus."""
        return generate_latest(self.registry)


def _label(level: int | None) -> str:
    return "none" if level is None else str(level)


def _count_all(counter: Counter, names: Iterable[str]) -> None:
    for name in names:
        counter.labels(name).inc()
