"""What SFT and GRPO share: base, adapter, tokenizer and cases before the trainer; checks, records and saving after."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
import trl.trainer.utils as trl_head
from transformers import PreTrainedTokenizerBase, set_seed
from transformers.trainer import Trainer

from ..atomic_files import write_json
from ..data.sampling import shares_report
from ..esi import Case
from .adapter import adapter_sha256, describe_base, new_adapter, parent_adapter, save_adapter
from .base_models import load_base, multiplies_bfloat16, quiet
from .callbacks import AdapterMustMove, CheckpointMark, MetricsFile, run_trainer, take_up
from .experiment import Experiment
from .processes import is_main, same_everywhere, shared_out
from .rows.drawn_cases import available_cases, drawn_cases
from .run import Run, begin


class Session(NamedTuple):
    """All that a trainer is given. `base` is what base.json will say; `cases` are drawn from the `available` ones."""

    experiment: Experiment
    run: Run
    model: Any
    tokenizer: PreTrainedTokenizerBase
    available: list[Case]
    cases: list[Case]
    base: dict[str, Any]
    parent: Path | None = None
    log_to: str | None = None


def prepare(experiment: Experiment, run: Run, parent: Path | None = None, log_to: str | None = None) -> Session:
    """Find data, base and adapter (the parent's, or a new one). Nothing is written."""
    quiet()
    _score_answers_alone()
    available = available_cases(experiment)
    cases = drawn_cases(experiment, available)
    base, tokenizer = load_base(experiment.base, smoke=experiment.profile == "smoke")
    about = describe_base(experiment, base)
    set_seed(experiment.seed)
    model = parent_adapter(base, parent, experiment.lora) if parent else new_adapter(base, experiment.lora)
    return Session(experiment, run, model, tokenizer, available, cases, about, parent, log_to)


def _score_answers_alone() -> None:
    """On a GPU TRL takes the tokens of the answers through the output layer, on a processor those of prompt and padding
    too, and drops what comes of them (trl.trainer.utils.add_fused_lm_head). Have it do the same everywhere."""
    trl_head._use_triton = lambda device: True  # pyright: ignore[reportPrivateUsage]


def shared_arguments(session: Session) -> dict[str, Any]:
    """The trainer's arguments for either method: the experiment's settings, and where and how it runs."""
    gpu, experiment = torch.cuda.is_available(), session.experiment
    return {
        **shared_out(experiment.trainer.model_dump(), f"experiment {experiment.name}"),
        "output_dir": str(session.run.checkpoints),
        "seed": experiment.seed,
        "bf16": gpu or (experiment.trainer.bf16 and multiplies_bfloat16()),
        "use_cpu": not gpu,
        "save_total_limit": 2,
        "report_to": session.log_to or "none",
        "run_name": experiment.name,
        "project": "esi-triage",
        "ddp_find_unused_parameters": False,  # else True for a PeftModel, which clashes with checkpointing
        "disable_tqdm": True,
    }


def train_to_end(session: Session, trainer: Trainer, key: str, too_long: Sequence[Case] = ()) -> None:
    """Begin the run and train, from the last checkpoint where there is one, with checks and metrics.jsonl.

    The bar shows metric `key`. `too_long` are the drawn cases that are not in the trainer's rows.
    """
    experiment, run = session.experiment, session.run
    if is_main():  # not before there is a trainer: a folder that was begun takes no corrected experiment
        begin(run, experiment, shares_report(session.available, session.cases), session.parent)
        if too_long:
            left_out = {"reason": "longer than trainer.max_length", "case_ids": [case.case_id for case in too_long]}
            write_json(run.folder / "left_out.json", left_out)
    checkpoint = run.last_checkpoint()
    if checkpoint and run.steps_done >= experiment.trainer.max_steps:  # killed before its adapter was saved
        take_up(trainer, checkpoint, run.metrics)
        return
    trainer.add_callback(AdapterMustMove())
    trainer.add_callback(MetricsFile(run.metrics))
    label = f"{experiment.name}: {experiment.method.upper()} on {experiment.base}"
    trainer.add_callback(CheckpointMark())  # the last callback: whatever belongs to a checkpoint is there by then
    run_trainer(trainer, label, key, checkpoint)


def save(session: Session, trainer: Trainer) -> Run:
    """Save the adapter, which makes the run a finished one. Raises RuntimeError where processes do not agree on it."""
    model: Any = trainer.model
    hashes = same_everywhere(adapter_sha256(model), "the trained adapter")
    if is_main():
        if len(hashes) > 1:
            write_json(session.run.folder / "processes.json", {"processes": len(hashes), "adapter_sha256": hashes})
        save_adapter(model, session.tokenizer, session.run, session.base, session.experiment.trainer.bf16)
    return session.run
