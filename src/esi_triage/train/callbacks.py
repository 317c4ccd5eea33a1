"""What watches a trainer: progress with time left, metrics.jsonl, and the proof that a warm start trains something."""

import json
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm
from transformers import PrinterCallback, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer import Trainer

from ..progress import bar


class ProgressBar(TrainerCallback):
    """One bar for the whole training, with time left and the last value of one metric."""

    def __init__(self, label: str, key: str) -> None:
        self.label, self.key = label, key
        self.bar: tqdm | None = None

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Open the bar at the step from which training goes on."""
        self.bar = bar(self.label, state.max_steps, "step", done=state.global_step)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Move on by one optimizer step."""
        if self.bar is not None:
            self.bar.update(state.global_step - self.bar.n)

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **_: Any
    ) -> None:
        """Show the metric beside the bar."""
        if self.bar is not None and logs and logs.get(self.key) is not None:
            self.bar.set_postfix_str(f"{self.key} {float(logs[self.key]):.3f}", refresh=False)

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Close the bar."""
        if self.bar is not None:
            self.bar.close()


class MetricsFile(TrainerCallback):
    """Every logged row to metrics.jsonl, with its step. On resume, rows after the checkpoint are dropped first."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Keep only the rows up to the step from which training goes on."""
        lines = self.file.read_text(encoding="utf-8").splitlines() if self.file.is_file() else []
        kept = [line for line in lines if line.endswith("}") and json.loads(line)["step"] <= state.global_step]
        self.file.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **_: Any
    ) -> None:
        """Append one row."""
        with self.file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"step": state.global_step, **(logs or {})}) + "\n")


class AdapterMustMove(TrainerCallback):
    """Stops a run that trains nothing.

    A PEFT adapter loaded without `is_trainable=True` trains in silence: loss, reward and even grad_norm look alive
    while no weight changes (TRL issue 6700). So: some parameters must be trainable, and the first optimizer step that
    has a gradient and a learning rate must change them.
    """

    def __init__(self) -> None:
        self.before: dict[str, torch.Tensor] = {}
        self.proved = False

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, model: Any = None, **_: Any
    ) -> None:
        """Refuse to start where nothing is trainable."""
        if not any(parameter.requires_grad for parameter in model.parameters()):
            raise RuntimeError("no parameter is trainable: the adapter was loaded frozen, so training would do nothing")

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, model: Any = None, **_: Any
    ) -> None:
        """Remember the weights that have a gradient."""
        if not self.proved:
            named = [(name, p) for name, p in model.named_parameters() if p.grad is not None and bool(p.grad.any())]
            self.before = {name: parameter.detach().clone() for name, parameter in named}

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, model: Any = None, **more: Any
    ) -> None:
        """Compare. A step without gradient (every group of equal reward) or at learning rate 0 proves nothing."""
        scheduler = more.get("lr_scheduler")
        rate = scheduler.get_last_lr()[0] if scheduler is not None else 1.0
        if self.proved or not self.before or (state.global_step == 1 and args.warmup_steps) or rate == 0:
            return
        after = dict(model.named_parameters())
        if all(torch.equal(old, after[name].detach()) for name, old in self.before.items()):
            raise RuntimeError("an optimizer step with a gradient changed no weight: the adapter is not being trained")
        self.proved, self.before = True, {}


def run_trainer(trainer: Trainer, label: str, key: str, resume: bool = False) -> None:
    """Train with one progress bar and no other output; from the last checkpoint where `resume`."""
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(ProgressBar(label, key))
    trainer.train(resume_from_checkpoint=True if resume else None)
