"""Two processes (torchrun, gloo) train one run: each its share of the rows, one adapter, one writer of the folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

from esi_triage.train.run import Run


def test_two_processes_train_one_run(v43: Path, tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"),
        *("--rdzv_backend", "c10d", "--rdzv_endpoint", "localhost:0", "-m", "esi_triage.cli.main"),
        *("train", "v46", "--profile", "smoke", "--parent", str(v43), "--output", str(tmp_path / "v46")),
    ]
    done = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    run = Run(tmp_path / "v46")
    assert run.finished
    told = json.loads((run.folder / "processes.json").read_text())
    assert told["processes"] == 2
    assert len(told["adapter_sha256"]) == 2
    assert len(set(told["adapter_sha256"])) == 1
    assert json.loads((run.folder / "environment.json").read_text())["processes"] == 2
    rows = [row for row in run.metric_rows() if "loss" in row]
    assert [row["step"] for row in rows] == [1, 2]
    completions = sorted((run.folder / "completions").glob("*.parquet"))
    assert len(completions) == 2
    import pyarrow.parquet as pq

    assert {pq.read_metadata(file).num_rows for file in completions} == {8}  # of both processes
