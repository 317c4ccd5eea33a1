"""Watch a GRPO run for what an audit warns of, and stop it on request: a callback for any TRL GRPOTrainer.

    from esi_triage.reward import Watch, load_design, reward_functions

    design = load_design("v46")  # or a TOML file of your own, with any number of levels
    watch = Watch(design, stop=True)
    trainer = GRPOTrainer(
        model,
        reward_funcs=[*reward_functions(design), watch.look],
        train_dataset=rows,  # columns: prompt, gold
        callbacks=[watch],
    )

Without one of our designs, say what an answer is: `Watch(levels=3, read=grade_of, gold="grade")`, and give `watch.look`
beside your own reward functions. It pays 0 to every completion (under `reward_weights` it needs a weight, any) and logs
`watch/…`: of all completions the share without an answer, exact, wrong, wrong by one and of each level (`answered_k`);
the entropy of the levels given and the hedge share of each batch; and for each level how often it is given (`level_k`)
and right (`gold_k`) with each case weighed by one over its oversampling factor, so in proportion to the deployment.
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from ..atomic_files import write_json
from ..errors import InputError
from .design import Design
from .run_findings import TRL_KEYS, Limits, entropy, watch_findings, window_means
from .trl import Reader, completion_text, gold_levels, reader


class Watch(TrainerCallback):
    """Warns, one line a finding, on standard error; with `stop` it ends the training at the first one.

    After each logged row, `measured` has the means over the window (TRL's own `rewards/…`, `frac_reward_zero_std` and
    `completions/clipped_ratio` among them), and `found` each finding so far with its message.
    """

    def __init__(
        self,
        design: Design | None = None,
        *,
        levels: int = 5,
        read: Reader | None = None,
        gold: str = "gold",
        stop: bool = False,
        limits: Limits | None = None,
    ) -> None:
        """`design` gives the number of levels and the oversampling; without one, `levels` counts and nothing is undone.

        `read` gets the text of a completion and gives its level, 1 to n, or None, as for `reward_functions`; `gold` is
        the column with the label. Both may be labels of the design.
        """
        plain = {"name": "Watch", "table": np.eye(levels).tolist(), "no_parse": 0}
        self.design = design or Design.model_validate(plain)
        self.levels = self.design.levels
        self.read = reader(self.design.name, len(self.levels), read)
        self.gold, self.stop = gold, stop
        self.limits = limits or Limits()
        self.rows: dict[int, dict[str, float]] = {}  # by step
        self.began = 0
        self.first: dict[str, float] = {}
        self.measured: dict[str, float] = {}
        self.found: dict[str, str] = {}

    def look(
        self, completions: Sequence[Any], log_metric: Callable[[str, float], None] | None = None, **columns: Any
    ) -> list[float]:
        """A reward function that pays nothing and logs what the policy answers."""
        given = [self.design.level_of(self.read(completion_text(completion))) for completion in completions]
        if log_metric is not None:
            for name, value in self._batch(given, self._golds(columns)).items():
                log_metric(f"watch/{name}", value)
        return [0.0] * len(completions)

    def _golds(self, columns: dict[str, Any]) -> Sequence[int]:
        if self.gold not in columns:
            raise InputError(
                f"the training rows have no column {self.gold!r}; name the one with the label: Watch(gold=…)."
            )
        return gold_levels(self.design, columns[self.gold], self.gold)

    def _batch(self, given: Sequence[int | None], golds: Sequence[int]) -> dict[str, float]:
        n = len(given)
        weights = [1 / self.design.oversample[gold] for gold in golds]
        distances = [abs(level - gold) for level, gold in zip(given, golds, strict=True) if level is not None]
        wrong = len(distances) - distances.count(0)
        found = {"none": given.count(None) / n, "exact": distances.count(0) / n, "wrong": wrong / n}
        found["by_one"] = distances.count(1) / n
        if wrong:
            found["hedge"] = distances.count(1) / wrong
        if distances:
            found["entropy"] = entropy([given.count(k) for k in self.levels])
        for k in self.levels:
            found[f"answered_{k}"] = given.count(k) / n
            found[f"level_{k}"] = sum(w for w, level in zip(weights, given, strict=True) if level == k) / n
            found[f"gold_{k}"] = sum(w for w, gold in zip(weights, golds, strict=True) if gold == k) / n
        return found

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Begin to count; a resumed run goes on from what its checkpoint holds."""
        self.rows, self.began = {}, state.global_step
        file = _state_file(args, state)
        if state.global_step and file.is_file():
            kept = json.loads(file.read_text(encoding="utf-8"))
            self.began, self.first, self.found = kept["began"], kept["first"], kept["found"]
            self.rows = {int(step): row for step, row in kept["rows"].items()}

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Write into the checkpoint what a resumed run needs to find what an uninterrupted one would."""
        if state.is_world_process_zero:
            kept = {"began": self.began, "first": self.first, "found": self.found, "rows": self.rows}
            write_json(_state_file(args, state), kept)

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **_: Any
    ) -> None:
        """Measure, warn, and stop where asked to. Every process sees the same averages, so all stop together."""
        if not logs or "watch/exact" not in logs:  # an evaluation, or the summary at the end
            return
        self.rows[state.global_step] = {key: value for key, value in logs.items() if _kept(key) and value is not None}
        self.rows = {step: row for step, row in self.rows.items() if step > state.global_step - self.limits.window}
        self.measured = window_means(list(self.rows.values()), self.levels)
        if state.global_step - self.began < self.limits.window:
            return
        self.first = self.first or self.measured
        for name, message in watch_findings(self.measured, self.first, self.limits, self.levels).items():
            if name not in self.found:
                self.found[name] = message
                end = " Training stops here." if self.stop else ""
                if state.is_world_process_zero:
                    tqdm.write(f"warning: step {state.global_step}: {message}{end}", file=sys.stderr)
        if self.stop and self.found:
            control.should_training_stop = True


def _state_file(args: TrainingArguments, state: TrainerState) -> Path:
    return Path(args.output_dir or ".") / f"checkpoint-{state.global_step}" / "watch.json"


def _kept(key: str) -> bool:
    return key.startswith(("watch/", "rewards/")) or key in TRL_KEYS
