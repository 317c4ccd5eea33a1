"""Kill `esi serve` under load, again and again: is every acknowledged record in the log, and does the chain hold?

python benchmarks/serve_kills.py --kills 200

SIGKILL does not test the disk: what the kernel has taken survives the process. That each commit waits for the disk is
asserted in tests/serve/test_decision_log.py.
"""

import argparse
import random
import signal
import tempfile
import threading
import time
from pathlib import Path

import httpx

from esi_triage.serve.decision_log import verify_log
from serve_load import NOTES, missing_rows, started


def ask_until_gone(number: int, url: str, records: set[str]) -> None:
    """One client that notes what was acknowledged, until the service is gone."""
    with httpx.Client(base_url=url, timeout=30) as http:
        while True:
            try:
                answer = http.post("/v1/triage", json={"narrative": NOTES[number % len(NOTES)]})
            except httpx.HTTPError:
                return
            if answer.status_code == 200:
                records.add(answer.json()["record"])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--clients", type=int, default=8)
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    draw, records = random.Random(given.seed), set[str]()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.sqlite"
        for kill in range(given.kills):
            service, url = started("rules", log)
            clients = [
                threading.Thread(target=ask_until_gone, args=(number, url, records)) for number in range(given.clients)
            ]
            for thread in clients:
                thread.start()
            enough, until = len(records) + draw.randint(5, 100), time.monotonic() + 60
            while len(records) < enough and time.monotonic() < until:
                time.sleep(0.005)
            service.send_signal(signal.SIGKILL)
            service.wait(30)
            for thread in clients:
                thread.join(60)
            verdict, lost = verify_log(log), missing_rows(log, records)
            print(
                f"kill {kill + 1}: {len(records)} acknowledged, {lost} lost, {verdict.problem or 'the chain holds'}",
                flush=True,
            )
            if lost or verdict.problem:
                raise SystemExit(1)


if __name__ == "__main__":
    main()
