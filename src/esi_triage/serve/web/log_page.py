"""What /log shows: the rows that were searched for, and the figures of the newest rows."""

from collections.abc import Mapping
from typing import Any

from ..decision_log import as_logged
from ..service import Service
from .log_figures import log_figures, reference

FIGURES_ROWS = 20_000
"""The figures are of the newest rows, so many at most; the page says so."""
_LISTED = 100
_WRONG_TIME = "write a date such as 2026-11-28, or a time such as 2026-11-28T14:30."


async def log_values(service: Service, asked: Mapping[str, str]) -> dict[str, Any]:
    """The values of the page for a search by `id`, `since` and `until` (ISO dates or times, UTC)."""
    times = {name: _time(asked[name]) for name in ("since", "until") if asked.get(name)}
    wrong = {name: f"{name}: {_WRONG_TIME}" for name, time in times.items() if time is None}
    criteria = {name: time for name, time in times.items() if time} | ({"id": asked["id"]} if asked.get("id") else {})
    found = await service.in_log_thread(service.log.search, **criteria, limit=_LISTED)
    newest = await service.in_log_thread(service.log.search, limit=FIGURES_ROWS)
    return {
        "asked": {name: asked.get(name, "") for name in ("id", "since", "until")},
        "wrong": wrong,
        "found": found,
        "listed": _LISTED,
        "figures": await service.in_log_thread(log_figures, newest),
        "rows": len(newest),
        "rows_most": FIGURES_ROWS,
        "reference": reference(),
    }


def _time(typed: str) -> str | None:
    try:
        return as_logged(typed)
    except ValueError:
        return None
