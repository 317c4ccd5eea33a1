"""Load on a running `esi serve`: clients that ask one after the other; latency, errors, memory, and rows in the log.

python benchmarks/serve_load.py --seconds 60 --clients 32 --model rules [--rate 2]

Starts the service itself, on a free port with a log of its own. `--rate` is requests a second for each client; without
it each asks again at once, which measures how much the service can do, not how long an answer takes.
"""

import argparse
import asyncio
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

NOTES = (
    "54 y/o M, chest pain radiating to the left arm, sweating. BP 150/90, HR 104, RR 18, SpO2 96 %",
    "22F twisted ankle playing football, swollen, can bear weight. HR 78, BP 118/70, pain 4/10",
    "3-year-old boy with fever 39.4 and cough since yesterday, drinking well, RR 28, HR 130",
    "77F found on the floor, slurred speech, right arm weak, last seen well 40 minutes ago",
    "needs a refill of blood pressure tablets, no complaint",
)


@dataclass
class Seen:
    """What the clients saw: seconds of each answer, statuses, ids of acknowledged records, memory in MB by second."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    records: set[str] = field(default_factory=set)
    memory: list[float] = field(default_factory=list)


def started(model: str, log: Path) -> tuple[subprocess.Popen[bytes], str]:
    """A service of its own, once it is ready, and its URL."""
    port = random.randint(20_000, 40_000)
    command = (
        sys.executable,
        "-m",
        "esi_triage.cli.main",
        "serve",
        "--port",
        str(port),
        "--model",
        model,
        "--log",
        log,
    )
    service = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    while service.poll() is None:
        try:
            if httpx.get(f"{url}/readyz", timeout=10).status_code == 200:
                return service, url
        except httpx.HTTPError:
            time.sleep(0.2)
    raise SystemExit(f"the service ended with {service.returncode} before it was ready")


async def client(number: int, url: str, until: float, rate: float | None, seen: Seen) -> None:
    """One client until the time is over."""
    draw = random.Random(number)
    async with httpx.AsyncClient(base_url=url, timeout=60) as http:
        if rate:
            await asyncio.sleep(draw.random() / rate)
        while time.monotonic() < until:
            began = time.monotonic()
            try:
                answer = await http.post("/v1/triage", json={"narrative": draw.choice(NOTES)})
                seen.statuses[str(answer.status_code)] += 1
                if answer.status_code == 200:
                    seen.seconds.append(time.monotonic() - began)
                    seen.records.add(answer.json()["record"])
                elif answer.status_code == 503:
                    await asyncio.sleep(0.1)
            except httpx.HTTPError as error:
                seen.statuses[type(error).__name__] += 1
            if rate:
                await asyncio.sleep(max(0.0, 1 / rate - (time.monotonic() - began)))


async def load(url: str, process: int, seconds: float, clients: int, rate: float | None) -> Seen:
    """All clients at once, and the service's memory beside them."""
    seen, until, watched = Seen(), time.monotonic() + seconds, psutil.Process(process)
    tasks = [asyncio.create_task(client(number, url, until, rate, seen)) for number in range(clients)]
    while time.monotonic() < until:
        seen.memory.append(watched.memory_info().rss / 1e6)
        await asyncio.sleep(1)
    await asyncio.gather(*tasks)
    return seen


def missing_rows(log: Path, records: set[str]) -> int:
    """How many acknowledged records the log does not have."""
    with sqlite3.connect(f"file:{log}?mode=ro", uri=True) as rows:
        return len(records - {row[0] for row in rows.execute("SELECT id FROM record")})


def report(seen: Seen, seconds: float, log: Path) -> None:
    cuts = statistics.quantiles([1000 * s for s in seen.seconds], n=100)
    warm = seen.memory[len(seen.memory) // 5 :]
    print(f"answers {len(seen.seconds)}, {len(seen.seconds) / seconds:.0f}/s, statuses {dict(seen.statuses)}")
    print(
        f"p50 {cuts[49]:.1f} ms, p95 {cuts[94]:.1f} ms, p99 {cuts[98]:.1f} ms, most {1000 * max(seen.seconds):.0f} ms"
    )
    print(f"memory {min(warm):.0f} to {max(warm):.0f} MB after the first fifth of the time")
    print(f"acknowledged records that the log does not have: {missing_rows(log, seen.records)}")
    print(f"load of the machine (1, 5, 15 minutes): {', '.join(f'{value:.1f}' for value in psutil.getloadavg())}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=600)
    options.add_argument("--clients", type=int, default=32)
    options.add_argument("--rate", type=float)
    options.add_argument("--model", default="rules")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.sqlite"
        service, url = started(given.model, log)
        try:
            seen = asyncio.run(load(url, service.pid, given.seconds, given.clients, given.rate))
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait(60)
        report(seen, given.seconds, log)


if __name__ == "__main__":
    main()
