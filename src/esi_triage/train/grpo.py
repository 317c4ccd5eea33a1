"""GRPO with TRL's GRPOTrainer, from the parent's adapter.

1. Load the base, text-only, with the parent's adapter on it, trainable (warm start); check that it is.
2. Draw prompts with the reward design's class factors (v46: ESI-1 ×5, ESI-2 ×3).
3. Each step: G answers a prompt, scored by the one scorer; advantage = reward less the group's mean, by its spread.
4. No reference model at beta 0, as in the card. A check after the first step with a gradient proves that it trains.
"""

from pathlib import Path
from typing import Any

import torch
from transformers import set_seed
from trl import GRPOConfig, GRPOTrainer

from ..data.sampling import shares_report
from ..errors import InputError
from ..files import write_json
from ..reward import load_design, reward_functions
from ..reward.watch import Limits, Watch
from .base import load_base, quiet
from .callbacks import AdapterMustMove, MetricsFile, run_trainer
from .examples import available_cases, drawn_cases, grpo_rows
from .experiment import Experiment, GrpoSettings
from .run import Run, begin, find_run
from .warm_start import save_adapter, warm_start


def train_grpo(experiment: Experiment, folder: Path, parent: Path) -> Run:
    """Run a GRPO experiment in `folder` from the run in `parent`; goes on from a checkpoint; returns where finished."""
    settings = experiment.trainer
    assert isinstance(settings, GrpoSettings)
    assert experiment.reward is not None
    design = load_design(experiment.reward)
    if settings.optim == "adamw_8bit" and not torch.cuda.is_available():
        raise InputError(
            f"experiment {experiment.name} on base {experiment.base}: optim = 'adamw_8bit' needs an NVIDIA GPU. "
            f"Use --base tiny here, or set trainer.optim = 'adamw_torch' in a copy of the file."
        )
    run = find_run(folder, experiment)
    if run.finished:
        return run
    quiet()
    available = available_cases(experiment)
    cases = drawn_cases(experiment, available)
    base, tokenizer = load_base(experiment.base, smoke=experiment.profile == "smoke")
    model = warm_start(base, parent, experiment.lora)
    begin(run, experiment, shares_report(available, cases))
    set_seed(experiment.seed)
    watch = Watch(design, limits=Limits(window=min(Limits.window, max(1, settings.max_steps // 4))))
    trainer = GRPOTrainer(
        model,  # pyright: ignore[reportArgumentType]  (TRL takes a PeftModel, its annotation does not say so)
        [*reward_functions(design), watch.look],  # pyright: ignore[reportArgumentType]
        args=_config(settings, run, experiment.seed),
        train_dataset=grpo_rows(cases, experiment, tokenizer),
        processing_class=tokenizer,
    )
    trainer.add_callback(AdapterMustMove())
    trainer.add_callback(watch)
    trainer.add_callback(MetricsFile(run.metrics))
    run_trainer(trainer, f"{experiment.name}: GRPO on {experiment.base}", key="reward", resume=run.interrupted)
    write_json(run.folder / "watch.json", watch.found)
    _keep_completions(run)
    save_adapter(trainer.model, tokenizer, run)
    return run


def _config(settings: GrpoSettings, run: Run, seed: int) -> GRPOConfig:
    values: dict[str, Any] = settings.model_dump()
    values["min_p"] = values["min_p"] or None
    gpu = torch.cuda.is_available()
    return GRPOConfig(
        output_dir=str(run.checkpoints),
        **values,
        seed=seed,
        bf16=gpu,
        use_cpu=not gpu,
        save_total_limit=2,
        report_to="none",
        disable_tqdm=True,
        log_completions=True,  # to checkpoints/completions, on this disk only
        num_completions_to_print=0,
    )


def _keep_completions(run: Run) -> None:
    written = run.checkpoints / "completions"
    if written.is_dir():
        written.rename(run.folder / "completions")
