"""What /log shows: the rows that were searched for, and the figures of the newest rows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..service import Service
from .log_figures import log_figures, reference

FIGURES_ROWS = 20_000
"""The figures are of the newest rows, so many at most; the page says so."""
_LISTED = 100


async def log_values(service: Service, asked: Mapping[str, str]) -> dict[str, Any]:
    """The values of the page for a search by `id`, `since` and `until` (ISO dates or times, UTC)."""
    wrong = {name: said for name in ("since", "until") if (said := _wrong_time(name, asked.get(name, "")))}
    criteria = {name: asked[name] for name in ("id", "since", "until") if asked.get(name) and name not in wrong}
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


def _wrong_time(name: str, typed: str) -> str | None:
    if not typed:
        return None
    try:
        datetime.fromisoformat(typed)
    except ValueError:
        return f"{name}: write a date such as 2026-11-28, or a time such as 2026-11-28T14:30."
    return None
