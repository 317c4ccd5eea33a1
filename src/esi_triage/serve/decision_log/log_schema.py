"""The decision log's tables, their versions, and the three ways to open the file.

SQLite before 3.51.3 can corrupt a WAL file when two connections write or checkpoint it. So one process holds the lock,
one of its connections writes, and every other connection is read-only.
"""

import fcntl
import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from ...errors import InputError

# Entry n takes a file from version n to n + 1 (PRAGMA user_version). An entry that has shipped is never edited.
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE record (
        sequence INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        time TEXT NOT NULL,
        kind TEXT NOT NULL,
        previous TEXT,
        body TEXT NOT NULL,
        text_hash TEXT,
        prior_hash TEXT NOT NULL,
        hash TEXT NOT NULL
    );
    CREATE INDEX record_time ON record (time);
    CREATE INDEX record_previous ON record (previous);
    CREATE TABLE text (record_id TEXT PRIMARY KEY, salt BLOB NOT NULL, text TEXT);
    CREATE TABLE archived (sequence INTEGER NOT NULL, hash TEXT NOT NULL);
    """,
)


class LogUnavailable(Exception):  # noqa: N818  a state of the log, not of the caller
    """The decision log can't be written now: no advice may leave. The message says why."""


def open_to_write(path: Path) -> sqlite3.Connection:
    """The writing connection, at the newest schema. A commit on it has reached the disk.

    Raises InputError for a file that is no decision log or a newer one, sqlite3.Error or OSError where it can't be
    written.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives -wal and -shm the mode of the file
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    connection.row_factory = sqlite3.Row
    try:
        # FULL syncs the WAL at every commit; NORMAL may lose the last ones when the power fails.
        settings = {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "mmap_size": 0}
        for name, value in settings.items():
            connection.execute(f"PRAGMA {name} = {value}")
            got = connection.execute(f"PRAGMA {name}").fetchone()
            if got is not None and got[0] != value:
                raise LogUnavailable(f"{path}: {name} is {got[0]}, not {value}; keep the log on a local disk.")
        _migrate(connection, path)
    except sqlite3.DatabaseError as error:
        connection.close()
        if "not a database" in str(error):
            raise InputError(f"{path}: no decision log ({error}). Choose another file.") from None
        raise
    except BaseException:
        connection.close()
        raise
    return connection


def open_to_read(path: Path) -> sqlite3.Connection:
    """A read-only connection to a log that may be in use. InputError where the file is missing or is none."""
    if not path.is_file():
        raise InputError(f"{path}: there is no such file. Give the decision log of `esi serve --log`.")
    name = f"file:{quote(str(path.resolve()))}?mode=ro"
    still = not Path(f"{path}-wal").exists() and not os.access(path.resolve().parent, os.W_OK)
    try:
        connection = sqlite3.connect(  # a log at rest in a read-only folder has no -shm file and can't get one
            name + ("&immutable=1" if still else ""), uri=True, isolation_level=None, check_same_thread=False, timeout=5
        )
    except sqlite3.Error as error:
        raise InputError(f"{path}: cannot be opened ({error}).") from None
    connection.row_factory = sqlite3.Row
    try:
        known = version_of(connection)
        connection.execute("SELECT 1 FROM record LIMIT 1")
    except sqlite3.DatabaseError as error:
        connection.close()
        raise InputError(f"{path}: cannot be read as a decision log ({error}).") from None
    if known > len(MIGRATIONS):
        connection.close()
        raise InputError(_newer(path, known))
    return connection


def lock(path: Path) -> int:
    """A descriptor that holds the log for this process; the system lets go of it when the process ends, however."""
    descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise LogUnavailable(f"{path}: another process writes this log; stop it, or give another --log.") from None
    return descriptor


def version_of(connection: sqlite3.Connection) -> int:
    """The schema version of an open file; 0 is an empty one."""
    return connection.execute("PRAGMA user_version").fetchone()[0]


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    known = version_of(connection)
    if known > len(MIGRATIONS):
        raise InputError(_newer(path, known))
    if known == 0 and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise InputError(f"{path}: an SQLite file of something else. Choose another file for the decision log.")
    if 0 < known < len(MIGRATIONS):
        with sqlite3.connect(path.with_name(f"{path.name}.version-{known}")) as copy:
            connection.backup(copy)
        copy.close()
    for version, script in enumerate(MIGRATIONS[known:], start=known + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {version}; COMMIT;")


def _newer(path: Path, known: int) -> str:
    return (
        f"{path}: written by a newer esi-triage (schema {known}, this one knows {len(MIGRATIONS)}). Update esi-triage."
    )
