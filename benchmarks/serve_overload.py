"""More requests than `esi serve` can answer: what it sustains, then many times that, by ApacheBench (`ab`).

python benchmarks/serve_overload.py --model rules --seconds 60 [--clients 1000]

32 clients that ask again at once fit into the queue and show the sustained rate; `--clients` of them do not. Needs `ab`
(Debian's apache2-utils), which asks faster than a client in Python can beside the service on the same two cores.
"""

import argparse
import json
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
from pathlib import Path

from serve_load import NOTES, started


def asked(url: str, note: Path, clients: int, seconds: int) -> dict[str, float]:
    """Requests a second, and how many connections failed, as ab prints them."""
    # -t alone ends after 50,000 requests; -n after it lifts that.
    command = ("ab", "-q", "-t", str(seconds), "-n", "100000000", "-c", str(clients), "-p", note)
    run = subprocess.run((*command, "-T", "application/json", f"{url}/v1/triage"), capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(run.stderr)
    rate = re.search(r"Requests per second: +([\d.]+)", run.stdout)
    broken = re.search(r"\(Connect: (\d+), Receive: (\d+), Length: \d+, Exceptions: (\d+)\)", run.stdout)
    return {"rate": float(rate[1]) if rate else 0.0, "broken": float(sum(map(int, broken.groups())) if broken else 0)}


def statuses(url: str) -> dict[str, int]:
    """How often /v1/triage was answered with each status, by the service's own count."""
    text = subprocess.run(("curl", "-s", f"{url}/metrics"), capture_output=True, text=True, check=True).stdout
    total: dict[str, int] = {}
    for labels, count in re.findall(r'^esi_http_requests_total\{(.*method="POST".*)\} ([\d.]+)', text, re.MULTILINE):
        status = re.search(r'status="(\d+)"', labels)
        total[status[1] if status else "?"] = total.get(status[1] if status else "?", 0) + int(float(count))
    return total


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=int, default=60)
    options.add_argument("--clients", type=int, default=1000)
    options.add_argument("--model", default="rules")
    given = options.parse_args()
    if not shutil.which("ab"):
        raise SystemExit("ab is missing: install Debian's apache2-utils.")
    with tempfile.TemporaryDirectory() as folder:
        log, note = Path(folder) / "log.sqlite", Path(folder) / "note.json"
        note.write_text(json.dumps({"narrative": NOTES[0]}))
        service, url = started(given.model, log)
        try:
            sustained = asked(url, note, 32, given.seconds)
            before = statuses(url)
            over = asked(url, note, given.clients, given.seconds)
            after = statuses(url)
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait(60)
        with sqlite3.connect(f"file:{log}?mode=ro", uri=True) as rows:
            kept = rows.execute("SELECT count(*) FROM record").fetchone()[0]
    rate, offered = sustained["rate"], over["rate"]
    print(f"32 clients: {rate:.0f} a second, statuses {before}")
    print(f"{given.clients} clients: {offered:.0f} a second, {offered / rate:.1f} times as many")
    print(f"statuses then: { {status: count - before.get(status, 0) for status, count in after.items()} }")
    print(f"connections that failed: {sustained['broken'] + over['broken']:.0f}")
    print(f"answered {after.get('200', 0)}, rows in the log {kept}")


if __name__ == "__main__":
    main()
