"""What watches a trainer: progress with time left, metrics.jsonl, and the proof that a warm start trains something."""

import json
from pathlib import Path
from typing import Any

import torch
from peft import load_peft_weights, set_peft_model_state_dict
from tqdm import tqdm
from transformers import PrinterCallback, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer import Trainer

from ..progress import bar
from ..reward import Watch
from .run import CHECKPOINT_MARK, keep_rows


class ProgressBar(TrainerCallback):
    """One bar for the whole training, with time left and the last value of one metric."""

    def __init__(self, label: str, key: str) -> None:
        self.label, self.key = label, key
        self.bar: tqdm | None = None

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Open the bar at the step from which training goes on; of several processes, one shows it."""
        if not state.is_world_process_zero:
            return
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


# What the clock says, and what TRL's SFT counts from the beginning of the process, not of the training.
_TIMES = ("train_runtime", "train_samples_per_second", "train_steps_per_second", "step_time", "num_tokens")


class MetricsFile(TrainerCallback):
    """Every logged row to metrics.jsonl, with its step. On resume, rows after the checkpoint are dropped first.

    What the clock said lies in a column of its own, `times`, with the tokens seen since training was resumed: without
    it two trainings with one seed have equal rows.
    The summary at the end has nothing else: it says from which step it counts the time, and the trainer's mean loss
    counts only the steps since training was resumed.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.began = 0

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Keep only the rows up to the step from which training goes on, without an earlier end's summary."""
        self.began = state.global_step
        if state.is_world_process_zero:
            keep_rows(self.file, state.global_step)

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **_: Any
    ) -> None:
        """Append one row."""
        if not state.is_world_process_zero:
            return
        row = {name: value for name, value in (logs or {}).items() if name not in _TIMES}
        times = {name: value for name, value in (logs or {}).items() if name in _TIMES}
        if "train_runtime" in times:
            row, times["from_step"] = {}, self.began
        _append(self.file, {"step": state.global_step, **row, **({"times": times} if times else {})})


class AdapterMustMove(TrainerCallback):
    """Stops a run that trains nothing.

    A PEFT adapter loaded without `is_trainable=True` trains in silence: loss, reward and even grad_norm look alive
    while no weight changes (TRL issue 6700). So: some parameters must be trainable, and the first optimizer step that
    has a gradient and a learning rate must change them.
    """

    def __init__(self) -> None:
        self.before: dict[str, torch.Tensor] = {}
        self.rate = 1.0
        self.proved = False

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, model: Any = None, **_: Any
    ) -> None:
        """Refuse to start where nothing is trainable."""
        if not any(parameter.requires_grad for parameter in model.parameters()):
            raise RuntimeError("no parameter is trainable: the adapter was loaded frozen, so training would do nothing")

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, model: Any = None, **more: Any
    ) -> None:
        """Remember the weights that have a gradient, and the learning rate: after the step it is that of the next."""
        if not self.proved:
            scheduler = more.get("lr_scheduler")
            self.rate = scheduler.get_last_lr()[0] if scheduler is not None else 1.0
            named = [(name, p) for name, p in model.named_parameters() if p.grad is not None and bool(p.grad.any())]
            self.before = {name: parameter.detach().clone() for name, parameter in named}

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, model: Any = None, **_: Any
    ) -> None:
        """Compare. A step without gradient (every group of equal reward) or at learning rate 0 proves nothing."""
        if self.proved or not self.before or self.rate == 0:
            return
        after = dict(model.named_parameters())
        if all(torch.equal(old, after[name].detach()) for name, old in self.before.items()):
            raise RuntimeError("an optimizer step with a gradient changed no weight: the adapter is not being trained")
        self.proved, self.before = True, {}


class SamePasses(TrainerCallback):
    """Has a resumed GRPO run draw the cases of its pass in the order of an undisturbed one.

    TRL's RepeatSampler shuffles each pass with a generator of its own, which is in no checkpoint: a resumed run would
    begin with the first pass's order again. So what the passes before have drawn is drawn once more.
    """

    def __init__(self) -> None:
        self.begun = False

    def on_epoch_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        train_dataloader: Any = None,
        **_: Any,
    ) -> None:
        """Draw and forget as many orders as there were passes; after the first pass here it goes on by itself."""
        if self.begun:
            return
        self.begun = True
        batches = train_dataloader.batch_sampler
        sampler = getattr(batches, "batch_sampler", batches).sampler  # of several processes, each has a shard of it
        for _passed in range(int(state.epoch or 0)):
            torch.randperm(sampler.num_samples, generator=sampler.generator)


class CheckpointMark(TrainerCallback):
    """Marks a checkpoint as whole once every process and every callback has written its part."""

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Wait for the others, then mark."""
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.barrier()
        if state.is_world_process_zero:
            (Path(str(args.output_dir)) / f"checkpoint-{state.global_step}" / CHECKPOINT_MARK).touch()


def run_trainer(trainer: Trainer, label: str, key: str, checkpoint: Path | None = None) -> None:
    """Train with one progress bar and no other output; from `checkpoint` where there is one."""
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(ProgressBar(label, key))
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)


def _append(metrics: Path, row: dict[str, Any]) -> None:
    with metrics.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(row) + "\n")


def take_up(trainer: Trainer, checkpoint: Path, metrics: Path) -> None:
    """The end of a training whose last checkpoint has all its steps: its weights, its metrics, what Watch had found.

    `train` would go on with one step more: the trainer looks for the end only after a step.
    """
    model: Any = trainer.model
    set_peft_model_state_dict(model, load_peft_weights(str(checkpoint), device=str(trainer.args.device)))
    trainer.state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
    if trainer.is_world_process_zero():
        keep_rows(metrics, trainer.state.global_step, summary=True)
        last = json.loads(metrics.read_text(encoding="utf-8").splitlines()[-1])
        if "train_runtime" not in last.get("times", {}):  # killed before the summary
            _append(metrics, {"step": trainer.state.global_step, "times": {}})
    for callback in trainer.callback_handler.callbacks:
        if isinstance(callback, Watch):
            callback.on_train_begin(trainer.args, trainer.state, trainer.control)
