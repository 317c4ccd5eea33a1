"""Retention: rows past their time move to a second file. The chain goes on from one file into the other.

The archive is a decision log of its own (NAME.archive.db beside NAME.db): the same tables, the same chain, read by the
same commands. Rows are copied and synced there before they leave the log, so a crash between leaves them in both, and
the next run goes on from there.
"""

import sqlite3
from pathlib import Path

from .chain import COLUMNS
from .log_schema import open_to_write

_PLACES = ", ".join("?" * len(COLUMNS))


def archive_of(path: Path) -> Path:
    """Where the archive of the log `path` lies."""
    return path.with_name(f"{path.stem}.archive{path.suffix}")


def move_old_rows(connection: sqlite3.Connection, path: Path, before: str) -> int:
    """Move the rows written before the ISO time `before` to the archive, and return how many.

    What moves is the beginning of the chain, up to the first row that is young enough; the newest row always stays.
    """
    kept = connection.execute("SELECT min(sequence) FROM record WHERE time >= ?", (before,)).fetchone()[0]
    newest = connection.execute("SELECT max(sequence) FROM record").fetchone()[0]
    bound = newest if kept is None else kept
    if bound is None or not connection.execute("SELECT 1 FROM record WHERE sequence < ?", (bound,)).fetchone():
        return 0
    _copy(connection, archive_of(path), bound)
    last = connection.execute("SELECT sequence, hash FROM record WHERE sequence = ?", (bound - 1,)).fetchone()
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(
        "DELETE FROM text WHERE record_id IN (SELECT id FROM record WHERE sequence < ?)",
        (bound,),
    )
    moved = connection.execute("DELETE FROM record WHERE sequence < ?", (bound,)).rowcount
    connection.execute("DELETE FROM archived")
    connection.execute("INSERT INTO archived VALUES (?, ?)", tuple(last))
    connection.execute("COMMIT")
    return moved


def erase_archived_text(archive: Path, id: str) -> bool:
    """Erase the text of the archived row `id`, and its salt; whether the archive has such a row."""
    if not archive.exists():
        return False
    target = open_to_write(archive)
    try:
        found = target.execute("SELECT 1 FROM record WHERE id = ?", (id,)).fetchone()
        if found:
            target.execute("DELETE FROM text WHERE record_id = ?", (id,))
            target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return found is not None
    finally:
        target.close()


def _copy(connection: sqlite3.Connection, archive: Path, bound: int) -> None:
    target = open_to_write(archive)
    try:
        target.execute("BEGIN IMMEDIATE")
        rows = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM record WHERE sequence < ?", (bound,))
        target.executemany(f"INSERT OR IGNORE INTO record VALUES ({_PLACES})", (tuple(row) for row in rows))
        texts = connection.execute(
            "SELECT record_id, salt, text FROM text JOIN record ON record.id = record_id WHERE sequence < ?", (bound,)
        )
        target.executemany("INSERT OR IGNORE INTO text VALUES (?, ?, ?)", (tuple(row) for row in texts))
        target.execute("COMMIT")
    finally:
        target.close()
