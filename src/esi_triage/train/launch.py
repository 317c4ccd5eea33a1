"""Start an experiment where its run belongs: one way for the CLI and for the series."""

import importlib.util
from contextlib import nullcontext
from pathlib import Path

from ..atomic_files import held
from ..errors import InputError
from ..reward import load_design
from .experiment import Experiment, GrpoExperiment, GrpoSettings, SftExperiment
from .processes import is_main, part_ways
from .run import Run, find_run

TRACKERS = ("trackio", "tensorboard", "wandb")


def run_folder(experiment: Experiment, runs: Path | None = None) -> Path:
    """Where a run lies: `runs/<base>/<name>`."""
    return (runs or Path("runs") / Path(experiment.base).name) / experiment.name


def start(
    experiment: Experiment, output: Path | None = None, parent: Path | None = None, log_to: str | None = None
) -> Run:
    """Train `experiment` in `output`, from the run in `parent` where it has one (default: beside the output).

    A finished run is returned as it is; an interrupted one goes on. Under torchrun or accelerate launch every process
    calls this, and they share the work. `log_to` names a tracker that gets the metrics. Raises InputError, before
    anything is loaded, for what this machine cannot train, and for a folder in which another training is at work.
    """
    folder = output or run_folder(experiment)
    warm = (parent or folder.parent / experiment.parent) if isinstance(experiment, GrpoExperiment) else None
    run = find_run(folder, experiment, warm)
    if run.finished:
        return run
    _can_train(experiment, warm)
    _can_log(log_to)
    with held(folder) if is_main() else nullcontext():
        if not find_run(folder, experiment, warm).finished:  # else another process has just finished it
            _train(experiment, run, warm, log_to)
            part_ways()
    return run


def _train(experiment: Experiment, run: Run, parent: Path | None, log_to: str | None) -> None:
    if isinstance(experiment, GrpoExperiment):
        from .grpo import train_grpo

        assert parent is not None
        train_grpo(experiment, run, parent, log_to)
    else:
        assert isinstance(experiment, SftExperiment)
        from .sft import train_sft

        train_sft(experiment, run, log_to)


def _can_log(log_to: str | None) -> None:
    if log_to is not None and log_to not in TRACKERS:
        raise InputError(f"--log-to {log_to!r}: give {', '.join(TRACKERS)}.")
    if log_to is not None and importlib.util.find_spec(log_to) is None:
        raise InputError(f"--log-to {log_to}: it is not installed. Run: pip install {log_to}.")


def _can_train(experiment: Experiment, parent: Path | None) -> None:
    settings = experiment.trainer
    where = f"experiment {experiment.name} on base {experiment.base}"
    if isinstance(settings, GrpoSettings) and settings.use_vllm and importlib.util.find_spec("vllm") is None:
        raise InputError(
            f"{where}: use_vllm = true, and vLLM is not installed. Run: pip install 'trl[vllm]' (it needs an NVIDIA "
            "GPU), or set trainer.use_vllm = false in a copy of the file."
        )
    if isinstance(settings, GrpoSettings) and load_design(experiment.reward or "").scores_probabilities:
        drawn_as_is = (settings.temperature, settings.top_p, settings.top_k, settings.min_p) == (1, 1, 0, 0)
        if settings.rollout != "shared" or not drawn_as_is:
            raise InputError(
                f"{where}: its reward scores the policy's probabilities, which only rollout = 'shared' reports, for "
                "samples at temperature 1 without top_p, top_k and min_p; set these in a copy of the file."
            )
    if settings.optim == "adamw_8bit":
        import torch

        if not torch.cuda.is_available():
            raise InputError(
                f"{where}: optim = 'adamw_8bit' needs an NVIDIA GPU. Use --base tiny here, or set "
                "trainer.optim = 'adamw_torch' in a copy of the file."
            )
    if parent is not None and not Run(parent).finished:
        raise InputError(
            f"{experiment.name} starts from {experiment.parent}, and {parent} holds no finished run. "
            f"Run `esi train {experiment.parent} --base {experiment.base}` first, or give --parent."
        )
