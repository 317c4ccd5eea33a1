"""What a lead nurse asks of the log: how often overridden, handed over and why, which levels, week by week."""

import math
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

from ...esi import LEVELS, VITAL_SIGNS
from ..decision_log import Record

_LEAST = 0.001  # stands for a share of nothing, so that the index below stays finite (usual practice)


@dataclass(frozen=True)
class Share:
    """`n` of `of`."""

    n: int
    of: int

    @property
    def value(self) -> float | None:
        """The proportion, or null where there is nothing to divide by."""
        return self.n / self.of if self.of else None


@dataclass(frozen=True)
class Week:
    """One ISO week: how many were advised, the shares of the likeliest levels, handed over, overridden.

    `stability` is the population stability index of the level shares against the training data; null below 50 notes.
    """

    name: str
    advised: int
    levels: tuple[Share, ...]
    handed_over: Share
    overridden: Share
    stability: float | None


@dataclass(frozen=True)
class LogFigures:
    """The figures of some rows of the log.

    Overridden: decisions that differ, of those on an advice with a level. A decision is the last word on an advice, of
    a person here or from the EHR that showed the card; a card that was overridden without a level differs, too.
    """

    advised: int
    handed_over: Share
    overridden: Share
    degraded: Share
    reasons: tuple[tuple[str, Share], ...]
    override_reasons: tuple[tuple[str, Share], ...]
    missing: tuple[tuple[str, Share, float], ...]
    weeks: tuple[Week, ...]


def log_figures(rows: Sequence[Record]) -> LogFigures:
    """The figures of `rows`."""
    advice = [row.body for row in rows if row.kind == "advice"]
    decisions = _decisions(rows)
    reasons = Counter(code for body in advice for code in body["hand_over"])
    chosen = Counter(body["reason"] or "no reason given" for body in decisions if _differs(body))
    missing = Counter(sign for body in advice for sign in body["missing"])
    usual = reference()["missing"]
    return LogFigures(
        advised=len(advice),
        handed_over=_share(advice, lambda body: body["level"] is None),
        overridden=_overridden(decisions),
        degraded=_share(advice, lambda body: body["degraded"]),
        reasons=tuple((code, Share(n, len(advice))) for code, n in reasons.most_common()),
        override_reasons=tuple((code, Share(n, sum(chosen.values()))) for code, n in chosen.most_common()),
        missing=tuple((s.name, Share(missing[s.name], len(advice)), usual[s.name]) for s in VITAL_SIGNS),
        weeks=tuple(_week(name, [row for row in rows if week_of(row) == name]) for name in _weeks(rows)),
    )


def week_of(row: Record) -> str:
    """The ISO week of a row, e.g. `2026-W48` (UTC)."""
    year, week, _ = datetime.fromisoformat(row.time).isocalendar()
    return f"{year}-W{week:02d}"


@cache
def reference() -> Mapping[str, Any]:
    """Level shares and missing vital signs of the training data (drift_reference.toml)."""
    return tomllib.loads((resources.files("esi_triage.serve.web") / "drift_reference.toml").read_text(encoding="utf-8"))


def stability_index(counts: Sequence[int], expected: Sequence[float]) -> float:
    """Population stability index of counts against expected shares; usually called stable below 0.1, not above 0.25."""
    total = sum(counts)
    pairs = [(max(n / total, _LEAST), max(share, _LEAST)) for n, share in zip(counts, expected, strict=True)]
    return sum((now - then) * math.log(now / then) for now, then in pairs)


def _weeks(rows: Iterable[Record]) -> list[str]:
    return sorted({week_of(row) for row in rows}, reverse=True)


def _week(name: str, rows: Sequence[Record]) -> Week:
    advice = [row.body for row in rows if row.kind == "advice"]
    counts = Counter(body["likeliest"] for body in advice)
    by_level = [counts[level] for level in LEVELS]
    return Week(
        name=name,
        advised=len(advice),
        levels=tuple(Share(n, len(advice)) for n in by_level),
        handed_over=_share(advice, lambda body: body["level"] is None),
        overridden=_overridden(_decisions(rows)),
        stability=stability_index(by_level, reference()["levels"]) if sum(by_level) >= 50 else None,
    )


def _decisions(rows: Iterable[Record]) -> list[Mapping[str, Any]]:
    """The last word on each advice among `rows`: `decision`, or `feedback` to a card."""
    said = sorted((row for row in rows if row.kind in ("decision", "feedback")), key=lambda row: row.sequence)
    return [*{row.previous: row.body for row in said}.values()]


def _share(bodies: Sequence[Mapping[str, Any]], holds: Any) -> Share:
    return Share(sum(bool(holds(body)) for body in bodies), len(bodies))


def _overridden(decisions: Sequence[Mapping[str, Any]]) -> Share:
    advised = [body for body in decisions if body["advised"] is not None]
    return Share(sum(_differs(body) for body in advised), len(advised))


def _differs(body: Mapping[str, Any]) -> bool:
    return body["advised"] is not None and body["advised"] != body["level"]
