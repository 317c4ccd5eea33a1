"""Rows of a log file that somebody else may be writing."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from ...errors import InputError
from .chain import COLUMNS, Record, record_of
from .log_archive import archive_of
from .log_schema import open_to_read

_SELECT = f"SELECT {', '.join(COLUMNS)} FROM record"
_BETWEEN = f"{_SELECT} WHERE time >= ? AND (? IS NULL OR time < ?) AND (? IS NULL OR sequence <= ?) ORDER BY sequence"


def rows_of(path: Path, since: str | None = None, until: str | None = None) -> Iterator[Record]:
    """The rows with since <= time < until (ISO, UTC), oldest first. The archive is a log of its own."""
    with closing(open_to_read(path)) as log:
        yield from _rows(log, path, since, until)


def rows_with_archive(
    path: Path, archive: Path | None = None, since: str | None = None, until: str | None = None
) -> Iterator[Record]:
    """The rows of the archive, and then those of the log, as `rows_of` gives them; none twice.

    `archive` is where the archive lies if not beside the log. Raises InputError where it is missing and the rows asked
    for may lie in it.
    """
    with closing(open_to_read(path)) as log:
        log.execute("BEGIN")  # the log as it is at one moment: the service may be moving rows
        anchor = log.execute("SELECT sequence FROM archived").fetchone()
        first = log.execute("SELECT time FROM record ORDER BY sequence LIMIT 1").fetchone()
        if anchor is not None and (since is None or first is None or since < first["time"]):
            file = archive or archive_of(path)
            if not file.is_file():
                raise InputError(f"{file}: there is no such file. Say where the archive of {path.name} is: --archive.")
            with closing(open_to_read(file)) as old:
                yield from _rows(old, file, since, until, last=anchor["sequence"])
        yield from _rows(log, path, since, until)


def newest_row(path: Path) -> Record | None:
    """The row that the chain ends with, or None in an empty log."""
    with closing(open_to_read(path)) as log:
        row = log.execute(f"{_SELECT} ORDER BY sequence DESC LIMIT 1").fetchone()
    return record_of(row, path) if row else None


def _rows(
    log: sqlite3.Connection, path: Path, since: str | None, until: str | None, last: int | None = None
) -> Iterator[Record]:
    try:
        for row in log.execute(_BETWEEN, (since or "", until, until, last, last)):
            yield record_of(row, path)
    except sqlite3.DatabaseError as error:
        raise InputError(f"{path}: the file is damaged ({error}). `esi log verify` says where.") from None
