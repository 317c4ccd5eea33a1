"""Start an experiment where its run belongs: one way for the CLI and for the series."""

from pathlib import Path

from ..errors import InputError
from .experiment import Experiment
from .run import Run


def run_folder(experiment: Experiment, runs: Path | None = None) -> Path:
    """Where a run lies: `runs/<base>/<name>`."""
    return (runs or Path("runs") / Path(experiment.base).name) / experiment.name


def start(experiment: Experiment, output: Path | None = None, parent: Path | None = None) -> Run:
    """Train `experiment` in `output`, from the run in `parent` where it has one (default: beside the output)."""
    folder = output or run_folder(experiment)
    if experiment.method == "sft":
        from .sft import train_sft

        return train_sft(experiment, folder)
    warm = parent or folder.parent / (experiment.parent or "")
    if not Run(warm).finished:
        raise InputError(
            f"{experiment.name} starts from {experiment.parent}, and {warm} holds no finished run. "
            f"Run `esi train {experiment.parent} --base {experiment.base}` first, or give --parent."
        )
    from .grpo import train_grpo

    return train_grpo(experiment, folder, warm)
