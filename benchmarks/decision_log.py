"""The decision log: rows lost in SIGKILLs under load, and rows a second that reach the disk.

A kill does not test the disk's sync, because the system's page cache survives it: it tests that no row is acknowledged
before its commit. The sync itself is a setting, which tests/serve/test_decision_log.py asserts (synchronous = FULL).

    python benchmarks/decision_log.py [KILLS]
"""

import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from esi_triage.serve.decision_log import open_log, rows_of, verify_log

BODY = {"level": 2, "set": [2, 3], "probabilities": [0.02, 0.71, 0.2, 0.05, 0.02], "steps": dict.fromkeys("ABCD", "no")}
CHILD = """
import sys, threading
from pathlib import Path
from esi_triage.serve.decision_log import open_log
log, told = open_log(Path(sys.argv[1])), threading.Lock()
def work():
    while True:
        hash = log.append("advice", {"level": 2}, text="chest pain").hash
        with told:
            print(hash, flush=True)
for _ in range(8):
    threading.Thread(target=work).start()
"""


def kills(times: int, seed: int = 0) -> None:
    """Kill a process whose eight threads append, at random moments, and look for every row that it was told of."""
    drawn = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        path, told, broken = Path(folder) / "decisions.db", [], 0
        for _ in range(times):
            process = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True)
            assert process.stdout is not None
            told += [process.stdout.readline().strip() for _ in range(drawn.randrange(1, 400))]
            process.send_signal(signal.SIGKILL)
            told += [line.strip() for line in process.stdout if line.endswith("\n") and len(line) == 65]
            process.wait()
            broken += verify_log(path).problem is not None
        kept = {row.hash for row in rows_of(path)}
        lost = len(set(told) - kept)
    print(f"{times} kills: {len(told)} rows acknowledged, {lost} lost, {len(kept)} in the log, {broken} broken chains")


def throughput(threads: int, rows: int = 1200) -> None:
    """Rows a second of `threads` callers at once, and how long one waits."""
    with tempfile.TemporaryDirectory() as folder:
        log, waits = open_log(Path(folder) / "decisions.db"), []

        def work() -> None:
            for _ in range(rows // threads):
                began = time.perf_counter()
                log.append("advice", BODY, text="chest pain")
                waits.append(time.perf_counter() - began)

        workers = [threading.Thread(target=work) for _ in range(threads)]
        began = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        took = time.perf_counter() - began
        log.close()
    waits.sort()
    middle, high = (1000 * waits[int(len(waits) * share)] for share in (0.5, 0.95))
    print(
        f"{threads} callers: {len(waits) / took:,.0f} rows/s, p50 {middle:.1f} ms, p95 {high:.1f} ms, n = {len(waits)}"
    )


def bare_commits(rows: int = 400) -> None:
    """The reference: SQLite alone, one caller, one small row a commit with the same settings."""
    with tempfile.TemporaryDirectory() as folder, sqlite3.connect(Path(folder) / "bare.db") as bare:
        bare.executescript("PRAGMA journal_mode = wal; PRAGMA synchronous = 2; CREATE TABLE row (body TEXT)")
        began = time.perf_counter()
        for _ in range(rows):
            bare.execute("INSERT INTO row VALUES ('x')")
            bare.commit()
        print(f"reference, SQLite alone: {rows / (time.perf_counter() - began):,.0f} commits/s, n = {rows}")


if __name__ == "__main__":
    bare_commits()
    for callers in (1, 8, 32):
        throughput(callers)
    kills(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
