"""The decision log: durable or refused, a chain that shows changes, texts that can be erased, rows that archive."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from esi_triage.cli.log import app as log_commands
from esi_triage.errors import InputError
from esi_triage.serve.decision_log import LogUnavailable, archive_of, log_schema, open_log, rows_of, verify_log

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "decisions.db"


def filled(path: Path, n: int = 5, **options) -> list[str]:
    log = open_log(path, **options)
    ids = [log.append("advice", {"level": 1 + k % 5}, text=f"note {k}").id for k in range(n)]
    log.close()
    return ids


def change(path: Path, statement: str, *values) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(statement, values)
    connection.close()


def test_a_row_comes_back_as_it_was_written(path):
    log = open_log(path)
    advice = log.append("advice", {"level": 2, "set": [2, 3], "probabilities": None}, text="chest pain")
    decision = log.append("decision", {"level": 3, "reason": "better"}, previous=advice.id)
    assert (advice.sequence, decision.sequence) == (1, 2)
    assert log.head() == decision
    assert log.get(advice.id) == advice
    assert advice.body == {"level": 2, "set": [2, 3], "probabilities": None}
    assert log.search(id=advice.id) == [decision, advice]
    assert log.search(limit=1) == [decision]
    assert log.search(since=decision.time) == [decision]
    assert log.search(until=decision.time) == [advice]
    assert log.get("unknown") is None
    log.close()
    assert datetime.fromisoformat(advice.time).utcoffset() == timedelta(0)
    assert verify_log(path).problem is None


def test_a_commit_waits_for_the_disk(path):
    connection = log_schema.open_to_write(path)
    assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    connection.close()


def test_the_chain_goes_on_after_restarts_and_by_many_threads(path):
    for _ in range(3):
        log = open_log(path)
        threads = [
            threading.Thread(target=lambda log=log: [log.append("advice", {"k": k}) for k in range(20)])
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        log.close()
    verdict = verify_log(path)
    assert (verdict.rows, verdict.problem) == (3 * 8 * 20, None)


TAMPERED = {
    "body": ("UPDATE record SET body = '{\"level\":5}' WHERE sequence = 3", 3, "changed"),
    "time": ("UPDATE record SET time = '2020-01-01T00:00:00+00:00' WHERE sequence = 2", 2, "changed"),
    "kind": ("UPDATE record SET kind = 'decision' WHERE sequence = 1", 1, "changed"),
    "id": ("UPDATE record SET id = 'x' WHERE sequence = 4", 4, "changed"),
    "hash": (f"UPDATE record SET hash = '{'a' * 64}' WHERE sequence = 3", 3, "changed"),
    "removed": ("DELETE FROM record WHERE sequence = 3", 4, "missing"),
    "first removed": ("DELETE FROM record WHERE sequence = 1", 2, "missing"),
    "renumbered": ("UPDATE record SET sequence = 9 WHERE sequence = 5", 9, "missing"),
    "body as bytes": ("UPDATE record SET body = x'00' WHERE sequence = 3", 3, "changed"),
    "id as bytes": ("UPDATE record SET id = x'00ff' WHERE sequence = 4", 4, "changed"),
    "text as bytes": (
        "UPDATE text SET text = x'00' WHERE record_id = (SELECT id FROM record WHERE sequence = 2)",
        2,
        "text",
    ),
    "text": (
        "UPDATE text SET text = 'another' WHERE record_id = (SELECT id FROM record WHERE sequence = 2)",
        2,
        "text",
    ),
    "salt": ("UPDATE text SET salt = x'00' WHERE record_id = (SELECT id FROM record WHERE sequence = 2)", 2, "text"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_tampering_is_found_at_its_first_row(path, name):
    statement, row, word = TAMPERED[name]
    filled(path, keep_text=True)
    change(path, statement)
    problem = verify_log(path).problem
    assert problem is not None
    assert f"row {row} " in problem
    assert word in problem


def test_a_row_put_in_with_a_right_hash_of_its_own_breaks_the_next(path):
    from esi_triage.serve.decision_log.chain import COLUMNS, row_hash

    filled(path)
    with sqlite3.connect(path) as connection:
        connection.row_factory = sqlite3.Row
        row = dict(connection.execute(f"SELECT {', '.join(COLUMNS)} FROM record WHERE sequence = 2").fetchone())
        row["body"] = '{"level":4}'
        connection.execute("UPDATE record SET body = ?, hash = ? WHERE sequence = 2", (row["body"], row_hash(row)))
    connection.close()
    assert "row 3 " in str(verify_log(path).problem)


def test_a_cut_end_and_a_log_written_anew_show_against_a_head_seen_before(path, tmp_path):
    filled(path)
    seen = (verify_log(path).sequence, verify_log(path).hash)
    assert verify_log(path, seen=seen).problem is None
    other = tmp_path / "other.db"
    filled(other)
    assert "row 5 " in str(verify_log(other, seen=seen).problem)
    change(path, "DELETE FROM text")
    change(path, "DELETE FROM record WHERE sequence = 5")
    assert verify_log(path).problem is None
    assert "row 5 was seen before and is gone" in str(verify_log(path, seen=seen).problem)


def test_texts_are_kept_only_when_asked(path, tmp_path):
    first = filled(path)[0]
    assert b"note 0" not in path.read_bytes()
    log = open_log(path)
    assert log.text_of(first) is None
    assert log.get(first).text_hash  # type: ignore[union-attr]
    log.close()
    kept = tmp_path / "kept.db"
    first = filled(kept, keep_text=True)[0]
    log = open_log(kept)
    assert log.text_of(first) == "note 0"
    log.close()


def test_an_erased_text_is_gone_from_the_disk_and_the_chain_holds(path):
    log = open_log(path, keep_text=True)
    record = log.append("advice", {"level": 2}, text="a text that nobody may find again")
    log.append("advice", {"level": 3}, text="stays")
    erasure = log.erase_text(record.id)
    files = [file for file in path.parent.iterdir() if file.name.startswith(path.name)]
    assert not [file.name for file in files if b"nobody may find" in file.read_bytes()]
    assert log.text_of(record.id) is None
    assert log.get(record.id) == record
    assert (erasure.kind, erasure.body, erasure.previous) == ("erasure", {"erased": record.id}, record.id)
    with pytest.raises(InputError, match="no row 'nothing'"):
        log.erase_text("nothing")
    log.close()
    assert verify_log(path).problem is None


def test_what_is_no_json_is_refused_before_it_is_written(path):
    log = open_log(path)
    for body in ({"p": float("nan")}, {"p": float("inf")}, {"x": object()}):
        with pytest.raises(ValueError, match="JSON"):
            log.append("advice", body)
    with pytest.raises(ValueError, match="kind"):
        log.append("other", {})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="surrogate"):
        log.append("advice", {}, text="\ud800")
    assert log.append("advice", {"display": "\ud800 é"}).sequence == 1
    log.close()
    assert verify_log(path).rows == 1


def test_one_process_writes(path):
    log = open_log(path)
    with pytest.raises(LogUnavailable, match="another process"):
        open_log(path)
    log.close()
    with pytest.raises(LogUnavailable, match="closed"):
        log.append("advice", {})
    open_log(path).close()


def test_old_rows_move_to_the_archive_and_the_chain_goes_through_both(path):
    now = [START]
    log = open_log(path, retention_days=30, keep_text=True, clock=lambda: now[0])
    old = [log.append("advice", {"k": k}, text=f"old {k}").id for k in range(3)]
    now[0] = START + timedelta(days=20)
    log.append("advice", {"k": 3})
    now[0] = START + timedelta(days=40)
    log.append("advice", {"k": 4})  # the first commit of a day is followed by the archiving
    log.append("advice", {"k": 5})
    assert log.get(old[0]) is None
    log.close()
    archive = archive_of(path)
    assert [row.id for row in rows_of(archive)] == old
    assert [row.body["k"] for row in rows_of(path)] == [3, 4, 5]
    assert (verify_log(path).rows, verify_log(path).problem) == (6, None)
    assert (verify_log(archive).rows, verify_log(archive).problem) == (3, None)
    now[0] = START + timedelta(days=200)
    open_log(path, retention_days=30, clock=lambda: now[0]).close()
    assert [row.body["k"] for row in rows_of(path)] == [5], "the newest row stays, so that the chain has an end"
    assert (verify_log(path).rows, verify_log(path).problem) == (6, None)
    with pytest.raises(InputError, match="an archive"):
        open_log(archive)
    log = open_log(path, retention_days=30, clock=lambda: now[0])
    assert b"old 1" in archive.read_bytes()
    log.erase_text(old[1])
    log.close()
    assert b"old 1" not in archive.read_bytes()
    assert (verify_log(path).rows, verify_log(path).problem) == (7, None)
    change(archive, "UPDATE record SET body = '{}' WHERE sequence = 2")
    assert "archive.db: row 2 " in str(verify_log(path).problem)
    archive.unlink()
    with pytest.raises(InputError, match="there is no such file"):
        verify_log(path)


def test_archiving_that_was_cut_short_goes_on(path):
    from esi_triage.serve.decision_log import log_archive

    now = [START]
    log = open_log(path, clock=lambda: now[0])
    for k in range(4):
        log.append("advice", {"k": k}, text=str(k))
    log.close()
    connection = log_schema.open_to_write(path)
    log_archive._copy(connection, archive_of(path), 4)  # and then the machine stops, before the rows leave the log
    connection.close()
    assert (verify_log(path).rows, verify_log(path).problem) == (4, None)
    now[0] = START + timedelta(days=184)
    open_log(path, clock=lambda: now[0]).close()
    assert ([row.body["k"] for row in rows_of(archive_of(path))], verify_log(path).rows) == ([0, 1, 2], 4)


def test_a_text_that_lies_in_log_and_archive_is_erased_in_both(path):
    from esi_triage.serve.decision_log import log_archive

    ids = filled(path, keep_text=True)
    connection = log_schema.open_to_write(path)
    log_archive._copy(connection, archive_of(path), 4)  # and then the machine stops, before the rows leave the log
    connection.close()
    log = open_log(path, keep_text=True)
    log.erase_text(ids[1])
    log.close()
    files = [file for file in path.parent.iterdir() if b"note 1" in file.read_bytes()]
    assert not files
    assert verify_log(path).problem is None


def test_a_backup_is_made_while_rows_are_added(path, tmp_path):
    log = open_log(path)
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            log.append("advice", {"level": 3})

    log.append("advice", {"level": 3})
    thread = threading.Thread(target=work)
    thread.start()
    copies = [tmp_path / f"copy-{k}.db" for k in range(3)]
    for copy in copies:
        log.backup(copy)
    stop.set()
    thread.join()
    log.close()
    for copy in copies:
        verdict = verify_log(copy)
        assert verdict.problem is None
        assert verify_log(path, seen=(verdict.sequence, verdict.hash)).problem is None
    assert not [
        file.name for file in tmp_path.iterdir() if file.name.startswith(("copy", ".copy")) and file not in copies
    ]
    with pytest.raises(InputError, match=r"cannot be made|could not be written|cannot be written"):
        log.backup(Path("/dev/null/copy.db"))


def test_a_file_of_an_earlier_schema_is_brought_up_and_a_copy_is_kept(path, monkeypatch):
    filled(path, 3)
    monkeypatch.setattr(log_schema, "MIGRATIONS", (*log_schema.MIGRATIONS, "ALTER TABLE text ADD COLUMN language TEXT"))
    log = open_log(path)
    assert log.append("advice", {"level": 1}).sequence == 4
    log.close()
    assert (verify_log(path).rows, verify_log(path).problem) == (4, None)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == 2
        assert "language" in [row[1] for row in connection.execute("PRAGMA table_info(text)")]
    connection.close()
    assert verify_log(path.with_name(f"{path.name}.version-1")).rows == 3
    monkeypatch.undo()
    with pytest.raises(InputError, match="newer esi-triage"):
        open_log(path)
    with pytest.raises(InputError, match="newer esi-triage"):
        verify_log(path)


def test_a_migration_that_fails_changes_nothing(path, monkeypatch):
    filled(path, 3)
    monkeypatch.setattr(
        log_schema, "MIGRATIONS", (*log_schema.MIGRATIONS, "ALTER TABLE text ADD COLUMN a TEXT; DROP TABLE nothing")
    )
    with pytest.raises(LogUnavailable, match="nothing"):
        open_log(path)
    monkeypatch.undo()
    assert (verify_log(path).rows, verify_log(path).problem) == (3, None)


def test_another_file_is_not_taken_for_a_log(path, tmp_path):
    path.write_text("no database, but long enough to be looked at as one " * 50)
    for use in (open_log, verify_log):
        with pytest.raises(InputError, match="decision log"):
            use(path)
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE patients (id)")
    connection.close()
    for use in (open_log, verify_log):
        with pytest.raises(InputError, match="decision log"):
            use(other)
    with pytest.raises(InputError, match="no such file"):
        verify_log(tmp_path / "absent.db")


def test_a_file_that_cannot_be_opened_is_named(tmp_path):
    link = tmp_path / "log.sqlite"
    link.symlink_to("/proc/self/mem")  # a file by its kind, and none for SQLite
    with pytest.raises(InputError, match="cannot be opened"):
        verify_log(link)


def test_a_damaged_file_is_named(path):
    filled(path, 200)
    content = bytearray(path.read_bytes())
    content[2 * 4096 : 3 * 4096] = b"\xff" * 4096
    path.write_bytes(content)
    try:
        problem = verify_log(path).problem
    except InputError as error:
        problem = str(error)
    assert problem


APPENDS = """
import sys
from pathlib import Path
from esi_triage.serve.decision_log import open_log
log = open_log(Path(sys.argv[1]))
while True:
    print(log.append("advice", {"level": 2}, text="chest pain").hash, flush=True)
"""


@pytest.mark.parametrize("after", [1, 7, 40])
def test_a_kill_loses_no_row_that_was_acknowledged(path, after):
    """The page cache survives a kill, so this tests the order of write and answer, not the disk's sync."""
    told = []
    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-c", APPENDS, str(path)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        told += [process.stdout.readline().strip() for _ in range(after)]
        process.send_signal(signal.SIGKILL)
        told += [line for line in process.stdout.read().splitlines() if len(line) == 64]
        process.wait()
        process.stdout.close()
        assert verify_log(path).problem is None
    assert set(told) <= {row.hash for row in rows_of(path)}


def mounted(folder: Path, *options: str) -> bool:
    return subprocess.run(["mount", *options, str(folder)], capture_output=True, check=False).returncode == 0


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or not mounted(folder, "-t", "tmpfs", "-o", "size=512k", "tmpfs"):
        pytest.skip("a full or read-only disk needs the right to mount one")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_refuses_the_row_and_takes_up_again_when_there_is_room(small_disk):
    path = small_disk / "decisions.db"
    log = open_log(path)
    kept = [log.append("advice", {"k": 0}).hash]
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 280_000)

    def fill() -> None:
        for k in range(1000):
            kept.append(log.append("advice", {"k": k, "more": "x" * 2000}).hash)

    with pytest.raises(LogUnavailable, match="could not be written"):
        fill()
    with pytest.raises(LogUnavailable):
        log.append("advice", {"more": "x" * 2000})
    ballast.unlink()
    kept.append(log.append("advice", {"k": "room again"}).hash)
    log.close()
    assert [row.hash for row in rows_of(path)] == kept
    assert verify_log(path).problem is None


def test_a_read_only_disk_refuses_the_log_and_still_lets_it_be_read(small_disk):
    path = small_disk / "decisions.db"
    filled(path)
    assert mounted(small_disk, "-o", "remount,ro")
    with pytest.raises(LogUnavailable, match="cannot be written"):
        open_log(path)
    assert (verify_log(path).rows, verify_log(path).problem) == (5, None)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write in every folder")
def test_a_read_only_folder_refuses_the_log(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(LogUnavailable, match="cannot be written"):
        open_log(tmp_path / "decisions.db")


def esi(*arguments: object):
    return CliRunner().invoke(log_commands, [str(argument) for argument in arguments])


def test_the_commands(path, tmp_path):
    ids = filled(path)
    head = esi("head", path).stdout.strip()
    good = esi("verify", path, "--seen", head)
    assert (good.exit_code, f"5 rows; head {head}" in good.stdout) == (0, True)
    out = tmp_path / "rows.jsonl"
    assert esi("export", path, "--output", out).exit_code == 0
    assert [json.loads(line)["id"] for line in out.read_text().splitlines()] == ids
    events = esi("export", path, "--format", "AuditEvent", "--since", "2026-01-01").stdout.splitlines()
    assert [json.loads(line)["resourceType"] for line in events] == ["AuditEvent"] * 5
    assert esi("export", path, "--until", "2026-01-01").stdout == ""
    change(path, "UPDATE record SET kind = 'decision' WHERE sequence = 2")
    bad = esi("verify", path)
    assert (bad.exit_code, f"row 2 ({ids[1]})" in bad.stderr) == (1, True)
    for wrong in (("verify", path, "--seen", "2"), ("export", path, "--format", "xml"), ("head", tmp_path / "none")):
        assert isinstance(esi(*wrong).exception, InputError), "the command line says what is wrong and exits with 2"


@pytest.mark.parametrize("over", ["decisions.db", "decisions.db-wal", "decisions.db.lock", "decisions.archive.db"])
def test_an_export_never_overwrites_the_log(path, over):
    ids = filled(path)
    output = path.with_name(over)
    output.touch()
    assert isinstance(esi("export", path, "--output", output).exception, InputError)
    assert [row.id for row in rows_of(path)] == ids


@pytest.mark.parametrize(
    "wrong",
    [
        ("export", "--since", "nan"),
        ("export", "--until", "1e9"),
        ("verify", "--archive", "nowhere"),
        ("verify", "--archive", "/"),
    ],
)
def test_an_option_that_means_nothing_is_refused(path, wrong):
    filled(path)
    assert isinstance(esi(wrong[0], path, *wrong[1:]).exception, InputError)


def test_a_time_of_another_form_is_the_same_time(path):
    filled(path)
    assert (
        esi("export", path, "--since", "20260101").stdout == esi("export", path, "--since", "2026-01-01").stdout != ""
    )


def test_an_export_reads_the_archive_first_and_no_row_twice(path, tmp_path):
    now = [START]
    log = open_log(path, retention_days=30, clock=lambda: now[0])
    for days in (0, 20, 40):  # after the last of them the first moves to the archive
        now[0] = START + timedelta(days=days)
        log.append("advice", {"level": 3})
    log.close()
    assert archive_of(path).exists()

    def exported(*options):
        done = esi("export", path, *options)
        if done.exception:
            raise done.exception
        return [json.loads(line)["sequence"] for line in done.stdout.splitlines()]

    assert exported() == [1, 2, 3]
    assert exported("--since", "2025-12-01", "--until", "2026-01-25") == [1, 2]
    elsewhere = archive_of(path).rename(tmp_path / "elsewhere.db")
    with pytest.raises(InputError, match="--archive"):
        exported()
    assert exported("--since", "2026-02-01") == [3], "for rows of the log alone no archive is needed"
    assert exported("--archive", elsewhere) == [1, 2, 3]


@pytest.mark.parametrize("body", ["x'00'", "'{'", "'[]'"])
def test_a_damaged_row_ends_reading_with_a_sentence(path, body):
    filled(path)
    change(path, f"UPDATE record SET body = {body} WHERE sequence = 5")
    for command in ("export", "head"):
        error = esi(command, path).exception
        assert isinstance(error, InputError)
        assert "row 5 (" in str(error)
        assert "esi log verify" in str(error)
    change(path, "UPDATE record SET body = CAST(x'ff' AS TEXT) WHERE sequence = 1")
    assert isinstance(esi("export", path).exception, InputError), "a text that is none"
