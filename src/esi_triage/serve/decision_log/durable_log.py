"""The decision log: a row is on the disk before `append` returns, or `append` raises.

SQLite keeps it (stdlib); the hash chain is ours. One thread writes. What is asked of it while a commit waits for the
disk goes into the next commit together (group commit), because the disk's sync bounds how many rows a second there can
be. The end of the chain is read from the file in each transaction and never kept in memory.
"""

import logging
import os
import queue
import sqlite3
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from ...atomic_files import whole
from ...errors import InputError
from .chain import COLUMNS, GENESIS, KINDS, Kind, Record, canonical, record_of, row_hash, salted_hash
from .log_archive import archive_of, erase_archived_text, move_old_rows
from .log_schema import LogUnavailable, lock, open_to_read, open_to_write

RETENTION_DAYS = 183
"""Six months: how long EU AI Act, articles 19 and 26(6), have the logs of a high-risk system kept at least."""

_BATCH = 256
_INSERT = f"INSERT INTO record VALUES ({', '.join('?' * len(COLUMNS))})"
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM record"
_Job = tuple[Callable[[sqlite3.Connection], Any], Future[Any]]


def open_log(
    path: Path,
    retention_days: int = RETENTION_DAYS,
    keep_text: bool = False,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> "DecisionLog":
    """Open or create the log at `path` and hold it for this process.

    Rows older than `retention_days` move to the archive beside it, at opening and once a day. With `keep_text` the
    texts given to `append` are stored too; without it only their salted hashes. Raises LogUnavailable where the folder
    can't be written or another process holds the log, InputError where the file is something else.
    """
    if retention_days < 1:
        raise InputError(f"retention_days = {retention_days}: give 1 or more; {RETENTION_DAYS} are six months.")
    if path.stem.endswith(".archive"):
        raise InputError(f"{path}: an archive; open the log that it belongs to.")
    try:
        held = lock(path)
    except OSError as error:
        raise LogUnavailable(f"{path}: cannot be written ({error.strerror}).") from None
    try:
        connection = open_to_write(path)
    except (sqlite3.Error, OSError) as error:
        os.close(held)
        raise LogUnavailable(f"{path}: cannot be written ({error}).") from None
    except BaseException:
        os.close(held)
        raise
    return DecisionLog(path, connection, held, timedelta(days=retention_days), keep_text, clock)


class DecisionLog:
    """An open log; every method may be called from any thread. Made by `open_log`."""

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        held: int,
        retention: timedelta,
        keep_text: bool,
        clock: Callable[[], datetime],
    ) -> None:
        self.path = path
        self._held, self._retention, self._keep_text, self._clock = held, retention, keep_text, clock
        self._writing: sqlite3.Connection | None = connection
        self._reading, self._read_lock = open_to_read(path), threading.Lock()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closing, self._closed = threading.Lock(), False
        self._archived_on = ""
        self._scrub = False
        self._archive_if_due()
        self._thread = threading.Thread(target=self._write, name="decision-log", daemon=True)
        self._thread.start()

    def append(
        self,
        kind: Literal["advice", "decision", "feedback"],
        body: Mapping[str, Any],
        text: str | None = None,
        previous: str | None = None,
    ) -> Record:
        """Add a row and return it once it is on the disk.

        `body` is plain JSON without the patient's text; that is `text`. Raises LogUnavailable where the row can't be
        made durable (then it is not in the log), ValueError for a body that is no JSON.
        """
        if kind not in KINDS:
            raise ValueError(f"kind {kind!r}: one of {', '.join(KINDS)}")
        return self._ask(self._insertion(kind, canonical(body), text, previous))

    def head(self) -> Record | None:
        """The newest row, or None in an empty log."""
        return self._one(f"{_SELECT} ORDER BY sequence DESC LIMIT 1")

    def get(self, id: str) -> Record | None:
        """The row of that id, or None; archived rows are not looked up."""
        return self._one(f"{_SELECT} WHERE id = ?", id)

    def text_of(self, id: str) -> str | None:
        """The text of that row, where texts are kept and it was not erased."""
        with self._read_lock:
            row = self._reading.execute("SELECT text FROM text WHERE record_id = ?", (id,)).fetchone()
        return row["text"] if row else None

    def search(
        self, since: str | None = None, until: str | None = None, id: str | None = None, limit: int = 100
    ) -> list[Record]:
        """Rows of the log, newest first: since <= time < until (ISO, UTC); with `id`, that row and those after it."""
        given = {"since": since, "until": until, "id": id}
        clauses = {"since": "time >= :since", "until": "time < :until", "id": "(id = :id OR previous = :id)"}
        wanted = [clauses[name] for name, value in given.items() if value is not None]
        where = f" WHERE {' AND '.join(wanted)}" if wanted else ""
        with self._read_lock:
            rows = self._reading.execute(
                f"{_SELECT}{where} ORDER BY sequence DESC LIMIT :limit", {**given, "limit": limit}
            )
            return [record_of(row, self.path) for row in rows.fetchall()]

    def erase_text(self, id: str) -> Record:
        """Erase the text of row `id`, archived or not, and its salt; return the row that says so. The chain holds.

        InputError where there is no such row. Copies made before (backups, snapshots of the disk) keep the text.
        """
        insert, archive = self._insertion("erasure", canonical({"erased": id}), None, id), archive_of(self.path)

        def erase(connection: sqlite3.Connection) -> Record | None:
            archived = erase_archived_text(archive, id)  # where archiving was cut short, the row is in both
            if not archived and not connection.execute("SELECT 1 FROM record WHERE id = ?", (id,)).fetchone():
                return None
            connection.execute("DELETE FROM text WHERE record_id = ?", (id,))
            self._scrub = True
            return insert(connection)

        erasure = self._ask(erase)
        if erasure is None:
            raise InputError(f"{archive.name} and its log have no row {id!r}; search the log for its id.")
        return erasure

    def backup(self, path: Path) -> None:
        """Write a copy of the log, as it is at one moment, and of its archive, while rows go on being added."""
        for source, target in ((self.path, path), (archive_of(self.path), archive_of(path))):
            if source.exists():
                _copy_file(source, target)

    def close(self) -> None:
        """Write what waits, and let go of the file. Later appends raise LogUnavailable."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._jobs.put(None)
        self._thread.join()
        with self._read_lock:
            self._reading.close()
        if self._writing is not None:
            self._writing.close()
        os.close(self._held)

    def _insertion(
        self, kind: Kind, body: str, text: str | None, previous: str | None
    ) -> Callable[[sqlite3.Connection], Record]:
        salt = os.urandom(16)
        hashed = None if text is None else salted_hash(salt, text)
        id = str(uuid.uuid4())

        def insert(connection: sqlite3.Connection) -> Record:
            head = connection.execute("SELECT sequence, hash FROM record ORDER BY sequence DESC LIMIT 1").fetchone()
            sequence, prior = (head["sequence"], head["hash"]) if head else (0, GENESIS)
            time = self._clock().isoformat(timespec="microseconds")
            values = (sequence + 1, id, time, kind, previous, body, hashed, prior)
            row: dict[str, Any] = dict(zip(COLUMNS, (*values, ""), strict=True))
            row["hash"] = row_hash(row)
            connection.execute(_INSERT, tuple(row.values()))
            if hashed is not None:
                connection.execute("INSERT INTO text VALUES (?, ?, ?)", (id, salt, text if self._keep_text else None))
            return record_of(row, self.path)

        return insert

    def _ask(self, job: Callable[[sqlite3.Connection], Any]) -> Any:
        future: Future[Any] = Future()
        with self._closing:
            if self._closed:
                raise LogUnavailable(f"{self.path}: the log is closed.")
            self._jobs.put((job, future))
        return future.result()

    def _write(self) -> None:
        """The writing thread: everything that waits goes into one transaction."""
        while (first := self._jobs.get()) is not None:
            batch, more = [first], True
            while more and len(batch) < _BATCH:
                try:
                    following = self._jobs.get_nowait()
                except queue.Empty:
                    break
                more = following is not None
                batch += [following] if following else []
            self._commit(batch)
            if not more:
                return
            self._archive_if_due()

    def _commit(self, batch: list[_Job]) -> None:
        try:
            if self._writing is None:
                self._writing = open_to_write(self.path)
            self._writing.execute("BEGIN IMMEDIATE")
            results = [job(self._writing) for job, _ in batch]
            self._writing.execute("COMMIT")
            if self._scrub:  # an erased text may still stand in the write-ahead log; a reader may hold it for now
                self._scrub = bool(self._writing.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])
        except Exception as error:  # whatever it was, nothing of this batch is in the log, and each caller must know
            self._drop_connection()
            for _, future in batch:
                future.set_exception(LogUnavailable(f"{self.path}: the row could not be written ({error})."))
            return
        for (_, future), result in zip(batch, results, strict=True):
            future.set_result(result)

    def _drop_connection(self) -> None:
        """After an error the next batch starts with a fresh connection; closing rolls back what was begun."""
        if self._writing is not None:
            self._writing.close()
            self._writing = None

    def _archive_if_due(self) -> None:
        now = self._clock()
        today = now.date().isoformat()
        if today == self._archived_on or self._writing is None:
            return
        self._archived_on = today
        try:
            move_old_rows(self._writing, self.path, (now - self._retention).isoformat(timespec="microseconds"))
        except (sqlite3.Error, OSError, LogUnavailable, InputError) as error:
            # The rows stay in the log, where they are as safe; tomorrow, or at the next start, they are tried again.
            self._drop_connection()
            logging.getLogger(__name__).warning("old rows could not be archived: %s", error)

    def _one(self, statement: str, *values: str) -> Record | None:
        with self._read_lock:
            row = self._reading.execute(statement, values).fetchone()
        return record_of(row, self.path) if row else None


def _copy_file(source: Path, target: Path) -> None:
    reading = open_to_read(source)
    try:
        with whole(target) as temporary:
            copy = sqlite3.connect(temporary)
            reading.backup(copy)
            copy.execute("PRAGMA journal_mode = delete")  # one file, without -wal beside it
            copy.close()
    except sqlite3.Error as error:
        raise InputError(f"{target}: the backup could not be written ({error}).") from None
    finally:
        reading.close()
