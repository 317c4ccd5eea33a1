"""Kill a GRPO run at random moments until it finishes, and compare it with one that nobody disturbed, byte for byte.

    python benchmarks/kills_train.py [--runs 5] [--kills 2] [--steps 4] [--seed 0]

The smoke build of the tiny base; needs a finished parent, which it trains first where it is not there. Compared are the
adapter, the metrics (without times), the completions and what Watch found.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

TIMES = ("times", "step_time", "runtime", "per_second", "total_flos")
RUN = """
import sys
from pathlib import Path
from esi_triage.train.experiment import load_experiment
from esi_triage.train.launch import start
experiment = load_experiment(sys.argv[1], "tiny", "smoke")
steps = int(sys.argv[4])
if experiment.method == "grpo":
    changed = experiment.trainer.model_copy(update={"max_steps": steps, "save_steps": 1})
    experiment = experiment.model_copy(update={"trainer": changed})
start(experiment, Path(sys.argv[2]), Path(sys.argv[3]))
"""


def started(name: str, folder: Path, parent: Path, steps: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", RUN, name, str(folder), str(parent), str(steps)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finished(name: str, folder: Path, parent: Path, steps: int) -> float:
    """Seconds that a run takes which nobody disturbs."""
    began = time.monotonic()
    process = started(name, folder, parent, steps)
    _, said = process.communicate()
    if process.returncode:
        sys.exit(said.decode()[-3000:])
    return time.monotonic() - began


def left_behind(folder: Path) -> dict[str, Any]:
    """All that must be the same, times left out."""
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return {
        "adapter": (folder / "adapter" / "adapter_model.safetensors").read_bytes(),
        "metrics": [{k: v for k, v in row.items() if not any(word in k for word in TIMES)} for row in rows],
        "completions": {
            f.name: pq.read_table(f).to_pylist() for f in sorted((folder / "completions").glob("*.parquet"))
        },
        "watch": (folder / "watch.json").read_text(),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    for name, default in (("runs", 5), ("kills", 2), ("steps", 4), ("seed", 0)):
        options.add_argument(f"--{name}", type=int, default=default)
    given, where = options.parse_args(), Path(tempfile.mkdtemp())
    finished("v43", where / "v43", where, 0)
    took = finished("v46", where / "whole", where / "v43", given.steps)
    whole, moments, same = left_behind(where / "whole"), random.Random(given.seed), 0
    for run in range(given.runs):
        folder, kills = where / f"run{run}", 0
        while kills < given.kills:
            process = started("v46", folder, where / "v43", given.steps)
            try:
                process.wait(timeout=moments.uniform(0.3, 0.9) * took)
                break  # it was faster than we were
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                kills += 1
        finished("v46", folder, where / "v43", given.steps)
        found = left_behind(folder)
        differ = [name for name in whole if found[name] != whole[name]]
        same += not differ
        print(f"run {run}: {kills} kills, {'the same' if not differ else f'differs in {differ}'}", flush=True)
    print(f"{same} of {given.runs} runs are the same as the undisturbed one ({took:.0f} s)")
    sys.exit(same != given.runs)


if __name__ == "__main__":
    main()
