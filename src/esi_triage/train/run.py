"""The run folder: what one training leaves behind, and where a later step finds it.

runs/<name>/  experiment.toml  environment.json  adapter/  checkpoints/  metrics.jsonl  completions/
"""

import json
import os
import platform
import re
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import write_json
from .experiment import Experiment

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
        return not self.finished and any(self.checkpoints.glob("checkpoint-*/trainer_state.json"))

    def metric_rows(self) -> list[dict[str, Any]]:
        """The rows of metrics.jsonl."""
        return [json.loads(line) for line in self.metrics.read_text(encoding="utf-8").splitlines()]


def find_run(folder: Path, experiment: Experiment) -> Run:
    """The run of `experiment` in `folder`, begun or not. Refuses a folder that holds another experiment's run."""
    run = Run(folder)
    if run.experiment.is_file():
        found = re.search(r"sha256 ([0-9a-f]{64})", run.experiment.read_text(encoding="utf-8"))
        if found is None or found[1] != experiment.sha256:
            raise InputError(
                f"{folder}: it holds a run of another experiment (or of the same one with other settings). "
                f"Give another --output, or remove the folder to start over."
            )
    return run


def begin(run: Run, experiment: Experiment, shares: dict[str, dict[str, float]]) -> None:
    """Make the folder and write down what is run, on what, and the class shares that training sees (`shares_report`).

    Call it when base, parent and data have been found.
    """
    if not run.experiment.is_file():
        run.folder.mkdir(parents=True, exist_ok=True)
        write_json(run.folder / "environment.json", environment())
        write_json(run.folder / "class_shares.json", shares)
        experiment.save(run.experiment)


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
    }
