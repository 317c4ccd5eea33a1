"""The run folder: what one training leaves behind, and where a later step finds it.

runs/<name>/  experiment.toml  environment.json  adapter/  checkpoints/  metrics.jsonl  completions/  left_out.json
"""

import json
import os
import platform
import re
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..atomic_files import sha256_of, write_json, write_text
from ..errors import InputError
from .experiment import Experiment
from .processes import processes

CHECKPOINT_MARK = "whole"
_PACKAGES = ("esi-triage", "torch", "transformers", "trl", "peft", "datasets", "accelerate", "numpy")


@dataclass(frozen=True, slots=True)
class Run:
    """The places in a run folder."""

    folder: Path

    @property
    def adapter(self) -> Path:
        """The trained adapter (PEFT layout). It exists if and only if the training ended well."""
        return self.folder / "adapter"

    @property
    def checkpoints(self) -> Path:
        """TRL's checkpoints, from which an interrupted training goes on."""
        return self.folder / "checkpoints"

    @property
    def experiment(self) -> Path:
        """The resolved experiment."""
        return self.folder / "experiment.toml"

    @property
    def metrics(self) -> Path:
        """One JSON row a logged step."""
        return self.folder / "metrics.jsonl"

    @property
    def finished(self) -> bool:
        """True when the adapter is there."""
        return (self.adapter / "adapter_config.json").is_file()

    @property
    def interrupted(self) -> bool:
        """True when there is a checkpoint to go on from."""
        return not self.finished and self.last_checkpoint() is not None

    def last_checkpoint(self) -> Path | None:
        """The last checkpoint that was written whole: a kill while one is written leaves it without its mark."""
        marked = [mark.parent for mark in self.checkpoints.glob(f"checkpoint-*/{CHECKPOINT_MARK}")]
        return max(marked, key=lambda folder: int(folder.name.removeprefix("checkpoint-")), default=None)

    @property
    def steps_done(self) -> int:
        """The step of the last checkpoint; 0 where there is none."""
        last = self.last_checkpoint()
        return int(last.name.removeprefix("checkpoint-")) if last else 0

    @property
    def weights_sha256(self) -> str | None:
        """The hash of the adapter's weights; None where there are none."""
        weights = self.adapter / "adapter_model.safetensors"
        return sha256_of(weights) if weights.is_file() else None

    def metric_rows(self) -> list[dict[str, Any]]:
        """The rows of metrics.jsonl."""
        return [json.loads(line) for line in self.metrics.read_text(encoding="utf-8").splitlines()]


def find_run(folder: Path, experiment: Experiment, parent: Path | None = None) -> Run:
    """The run of `experiment` in `folder`, begun or not; `parent` is the run that it starts from.

    Refuses a folder that holds another experiment's run, one on a file that has changed since, or one from another
    parent's adapter. A run that does not say what it learned from (older versions), and data and a parent that are
    gone, are taken as they are.
    """
    run = Run(folder)
    if run.experiment.is_file():
        if differs := _difference(run.experiment.read_text(encoding="utf-8"), experiment, parent):
            raise InputError(
                f"{folder}: it holds a run {differs} another --output, or remove the folder to start over."
            )
        made = folder / "environment.json"  # written before experiment.toml; a folder without it was begun by nobody
        began = json.loads(made.read_text(encoding="utf-8")).get("processes", 1) if made.is_file() else processes()
        if not run.finished and began != processes():  # each process has random numbers and rows of its own
            raise InputError(
                f"{folder}: this run was begun by {began} processes and cannot go on with {processes()}. "
                f"Start {began}, or remove the folder to start over."
            )
    return run


def _difference(text: str, experiment: Experiment, parent: Path | None) -> str | None:
    """What, by its experiment.toml, tells a run from the one that is asked for, and the beginning of what to give."""
    found = re.search(r"sha256 ([0-9a-f]{64})", text)
    if found is None or found[1] != experiment.sha256:
        return "of another experiment (or of the same one with other settings). Give"
    trained_on = dict(re.findall(r"^# trained on (.+), sha256 ([0-9a-f]{64})$", text, re.MULTILINE))
    for name, sha256 in experiment.data_sha256.items():
        if trained_on.get(name, sha256) != sha256:
            return f"on {name} as it was before; the file has changed. Give"
    started = re.search(r"^# trained from the adapter of .+, sha256 ([0-9a-f]{64})$", text, re.MULTILINE)
    weights = Run(parent).weights_sha256 if parent and started else None
    if started and weights and started[1] != weights:
        return f"from another {experiment.parent} than the one in {parent}. Give its own --parent,"
    return None


def begin(run: Run, experiment: Experiment, shares: dict[str, dict[str, float]], parent: Path | None = None) -> None:
    """Make the folder and write down what is run, on what, and the class shares that training sees (`shares_report`).

    Call it when all that can be wrong has been looked at: a folder that was begun takes no other experiment.
    """
    if not run.experiment.is_file():
        run.folder.mkdir(parents=True, exist_ok=True)
        write_json(run.folder / "environment.json", environment())
        write_json(run.folder / "class_shares.json", shares)
        experiment.save(run.experiment, Run(parent).weights_sha256 if parent else None)


def keep_rows(metrics: Path, step: int, summary: bool = False) -> None:
    """Of a metrics.jsonl, keep the whole rows up to `step`; an end's summary only with `summary`."""
    lines = metrics.read_text(encoding="utf-8").splitlines() if metrics.is_file() else []
    write_text(metrics, "".join(f"{line}\n" for line in lines if _belongs(line, step, summary)))


def _belongs(line: str, step: int, summary: bool) -> bool:
    try:
        row = json.loads(line)
    except ValueError:  # torn by a kill
        return False
    return row["step"] <= step and (summary or "train_runtime" not in row.get("times", row))


def environment() -> dict[str, Any]:
    """What the training ran on: package versions, Python, processor, device."""
    import torch

    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else None
    return {
        "packages": {name: version(name) for name in _PACKAGES},
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "device": gpu or "cpu",
        "processes": processes(),
    }
