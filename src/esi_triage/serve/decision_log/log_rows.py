"""Rows of a log file that somebody else may be writing."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from .chain import COLUMNS, Record, record_of
from .log_schema import open_to_read

_SELECT = f"SELECT {', '.join(COLUMNS)} FROM record"


def rows_of(path: Path, since: str | None = None, until: str | None = None) -> Iterator[Record]:
    """The rows with since <= time < until (ISO, UTC), oldest first. The archive is a log of its own."""
    with closing(open_to_read(path)) as log:
        rows = log.execute(
            f"{_SELECT} WHERE time >= ? AND (? IS NULL OR time < ?) ORDER BY sequence", (since or "", until, until)
        )
        for row in rows:
            yield record_of(row)


def newest_row(path: Path) -> Record | None:
    """The row that the chain ends with, or None in an empty log."""
    with closing(open_to_read(path)) as log:
        row = log.execute(f"{_SELECT} ORDER BY sequence DESC LIMIT 1").fetchone()
    return record_of(row) if row else None
