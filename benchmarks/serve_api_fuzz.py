"""Requests that schemathesis makes from the API's own description, to a service of its own with the rules.

python benchmarks/serve_api_fuzz.py --examples 3300

`--examples` a route; the report counts all. What is configured away, and why, stands in schemathesis.toml beside this
file. Exit code 1 where something is found.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from esi_triage.serve.decision_log import verify_log
from serve_load import started


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--examples", type=int, default=3300)
    options.add_argument("--seed", type=int, default=0)
    given, more = options.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.sqlite"
        service, url = started("rules", log)
        command = [str(Path(sys.executable).with_name("schemathesis"))]
        command += ["--config-file", str(Path(__file__).with_name("schemathesis.toml")), "run", f"{url}/openapi.json"]
        command += [
            "--max-examples",
            str(given.examples),
            "--seed",
            str(given.seed),
            "--generation-database",
            "none",
            *more,
        ]
        try:
            code = subprocess.run(command, check=False).returncode
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait(60)
        verdict = verify_log(log)
        print(f"decision log: {verdict.rows} rows, {verdict.problem or 'the chain holds'}")
        raise SystemExit(code or int(verdict.problem is not None))


if __name__ == "__main__":
    main()
