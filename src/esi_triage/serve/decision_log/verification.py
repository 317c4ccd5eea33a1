"""Does the chain hold? Every row's hash is computed again, from the archive's first row to the log's last."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .chain import COLUMNS, GENESIS, is_bytes_in, row_hash, salted_hash
from .log_archive import archive_of
from .log_schema import open_to_read


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification found: the rows that hold, in log and archive, the last of them, and the first problem."""

    rows: int
    sequence: int
    hash: str
    problem: str | None = None


def verify_log(path: Path, archive: Path | None = None, seen: tuple[int, str] | None = None) -> Verdict:
    """Check the chain of the log at `path`, its archive included.

    `archive` is where the archive lies if not beside the log. `seen` is a head (sequence, hash) noted earlier: a chain
    alone does not show that its end was cut off or that the whole was written anew. InputError where a file is missing
    or unreadable; a broken chain is a Verdict with a problem that names the first bad row.
    """
    with closing(open_to_read(path)) as log:
        anchor = log.execute("SELECT sequence, hash FROM archived").fetchone()
        verdict = Verdict(0, 0, GENESIS)
        if anchor is not None:
            file = archive or archive_of(path)
            with closing(open_to_read(file)) as old:
                verdict = _checked(old, file, verdict, seen, until=anchor["sequence"])
            if verdict.problem is None and (verdict.sequence, verdict.hash) != tuple(anchor):
                problem = f"{path}: starts after row {anchor['sequence']}, but {file} ends with row {verdict.sequence}"
                verdict = Verdict(verdict.rows, verdict.sequence, verdict.hash, problem + " or another hash")
        if verdict.problem is None:
            verdict = _checked(log, path, verdict, seen)
    if verdict.problem is None and seen is not None and seen[0] > verdict.sequence:
        problem = f"{path}: row {seen[0]} was seen before and is gone; the log ends with row {verdict.sequence}"
        return Verdict(verdict.rows, verdict.sequence, verdict.hash, problem)
    return verdict


def _checked(
    log: sqlite3.Connection, file: Path, start: Verdict, seen: tuple[int, str] | None, until: int | None = None
) -> Verdict:
    rows, sequence, last = start.rows, start.sequence, start.hash
    try:
        for row in _rows(log):
            if until is not None and row["sequence"] > until:
                break  # copied to the archive, not yet taken out of the log: the log's own rows count
            problem = _problem(row, sequence, last, seen)
            if problem:
                return Verdict(rows, sequence, last, f"{file}: row {row['sequence']} ({row['id']}): {problem}")
            rows, sequence, last = rows + 1, row["sequence"], row["hash"]
        problem = _text_problem(log)
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        problem = f"after row {sequence}: the file is damaged ({error})"
    return Verdict(rows, sequence, last, f"{file}: {problem}" if problem else None)


def _rows(log: sqlite3.Connection) -> Iterator[Mapping[str, Any]]:
    yield from log.execute(f"SELECT {', '.join(COLUMNS)} FROM record ORDER BY sequence")


def _problem(row: Mapping[str, Any], sequence: int, last: str, seen: tuple[int, str] | None) -> str | None:
    if row["sequence"] != sequence + 1:
        return f"comes after row {sequence}; rows between are missing"
    if row["prior_hash"] != last:
        return "does not follow from the row before"
    if is_bytes_in(row) or row_hash(row) != row["hash"]:
        return "was changed after it was written"
    if seen is not None and seen[0] == row["sequence"] and seen[1] != row["hash"]:
        return "has another hash than was seen before: the log was written anew"
    return None


def _text_problem(log: sqlite3.Connection) -> str | None:
    texts = log.execute(
        "SELECT record_id, salt, text, text_hash, sequence FROM text LEFT JOIN record ON record.id = record_id"
        " ORDER BY sequence"
    )
    for row in texts:
        if row["text_hash"] is None:
            return f"a text of {row['record_id']}, which has none"
        if row["text"] is not None and _hash_of_text(row) != row["text_hash"]:
            return f"row {row['sequence']} ({row['record_id']}): its text was changed after it was written"
    return None


def _hash_of_text(row: Mapping[str, Any]) -> str | None:
    """Null where salt or text are of a kind that the log never writes."""
    salt, text = row["salt"], row["text"]
    return salted_hash(salt, text) if isinstance(salt, bytes) and isinstance(text, str) else None
