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
`watch/…`: of all completions the share without an answer, exact, wrong, wrong by one; the entropy of the levels given
and the hedge share of each batch; and for each level how often it is given (`level_k`) and right (`gold_k`), the latter
two with each case weighed by one over its oversampling factor, so that they are in proportion to natural cases.
"""

import math
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from ..answer import parse
from ..errors import InputError
from .design import Design
from .trl import completion_text

TRL_KEYS = ("completions/clipped_ratio", "frac_reward_zero_std")


@dataclass(frozen=True)
class Limits:
    """Where a run is taken to walk into a finding. All are about means over a window, so that one odd step is none."""

    window: int = 50  # steps; with one prompt a step, a share then has a standard error of 7 points at most
    collapse: float = 3.0  # a level is given so many times as often as it is right, and in a tenth of all cases more
    top: float = 0.9  # or in so many of all cases, and in a tenth more than it is right
    silence: float = 0.2  # completions without an answer; on the model card, v48 ended at 0.25
    truncation: float = 0.5  # completions cut at the token limit: half of what is paid for goes unread
    no_signal: float = 0.9  # groups in which all earn the same, so that nothing is learned from them
    hedging: float = (
        0.2  # exact falls, and the hedge share rises, by so much since the first window: two standard errors
    )


def esi_level(text: str) -> int | None:
    """The ESI level that a completion names, as the rewards read it."""
    return parse(text).level


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
        read: Callable[[str], int | None] = esi_level,
        gold: str = "gold",
        stop: bool = False,
        limits: Limits | None = None,
    ) -> None:
        """`design` gives the number of levels and the oversampling; without one, `levels` counts and nothing is undone.

        `read` gets the text of a completion and gives its level, 1 to n, or None; `gold` is the column with the label.
        """
        self.levels = design.levels if design else range(1, levels + 1)
        self.factors = design.oversample if design else dict.fromkeys(self.levels, 1.0)
        self.read, self.gold, self.stop = read, gold, stop
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
        given = [self.read(completion_text(completion)) for completion in completions]
        if log_metric is not None:
            for name, value in self._batch(given, self._golds(columns)).items():
                log_metric(f"watch/{name}", value)
        return [0.0] * len(completions)

    def _golds(self, columns: dict[str, Any]) -> Sequence[int]:
        if self.gold not in columns:
            raise InputError(
                f"the training rows have no column {self.gold!r}; name the one with the label: Watch(gold=…)."
            )
        golds: Sequence[int] = columns[self.gold]
        if other := [gold for gold in golds if gold not in self.levels]:
            raise InputError(
                f"column {self.gold!r} of the training rows holds {other[0]!r}; levels are 1 to {len(self.levels)}."
            )
        return golds

    def _batch(self, given: Sequence[int | None], golds: Sequence[int]) -> dict[str, float]:
        n = len(given)
        weights = [1 / self.factors[gold] for gold in golds]
        distances = [abs(level - gold) for level, gold in zip(given, golds, strict=True) if level is not None]
        wrong = len(distances) - distances.count(0)
        found = {"none": given.count(None) / n, "exact": distances.count(0) / n, "wrong": wrong / n}
        found["by_one"] = distances.count(1) / n
        if wrong:
            found["hedge"] = distances.count(1) / wrong
        if distances:
            found["entropy"] = _entropy(list(Counter(level for level in given if level is not None).values()))
        for k in self.levels:
            found[f"level_{k}"] = sum(w for w, level in zip(weights, given, strict=True) if level == k) / n
            found[f"gold_{k}"] = sum(w for w, gold in zip(weights, golds, strict=True) if gold == k) / n
        return found

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Begin to count; a resumed run begins anew."""
        self.rows, self.began = {}, state.global_step

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **_: Any
    ) -> None:
        """Measure, warn, and stop where asked to. Every process sees the same averages, so all stop together."""
        if not logs or "watch/exact" not in logs:  # an evaluation, or the summary at the end
            return
        self.rows[state.global_step] = {key: value for key, value in logs.items() if _kept(key) and value is not None}
        self.rows = {step: row for step, row in self.rows.items() if step > state.global_step - self.limits.window}
        self.measured = measure(list(self.rows.values()), self.levels)
        if state.global_step - self.began < self.limits.window:
            return
        self.first = self.first or self.measured
        for name, message in findings(self.measured, self.first, self.limits, self.levels).items():
            if name not in self.found:
                self.found[name] = message
                end = " Training stops here." if self.stop else ""
                if state.is_world_process_zero:
                    tqdm.write(f"warning: step {state.global_step}: {message}{end}", file=sys.stderr)
        if self.stop and self.found:
            control.should_training_stop = True


def measure(rows: Sequence[dict[str, float]], levels: range) -> dict[str, float]:
    """Means over logged rows. Shares of levels, given and right, are of natural cases; `hedge` is of all errors."""
    keys = sorted({key for row in rows for key in row})
    mean = {key: sum(row[key] for row in rows if key in row) / sum(key in row for row in rows) for key in keys}
    weight = sum(mean[f"watch/gold_{k}"] for k in levels)
    given = [mean.pop(f"watch/level_{k}") / weight for k in levels]
    gold = [mean.pop(f"watch/gold_{k}") / weight for k in levels]
    found = {key.removeprefix("watch/"): value for key, value in mean.items()}
    found["hedge"] = found["by_one"] / found["wrong"] if found["wrong"] else 0.0
    found["entropy"] = _entropy(given)
    found |= {f"level_{k}": share for k, share in zip(levels, given, strict=True)}
    return found | {f"gold_{k}": share for k, share in zip(levels, gold, strict=True)}


def findings(now: dict[str, float], first: dict[str, float], limits: Limits, levels: range) -> dict[str, str]:
    """Each finding that the measures show, with one sentence. `first` is what they were in the first window."""
    found: dict[str, str] = {}
    for k in levels:
        given, gold = now[f"level_{k}"], now[f"gold_{k}"]
        if given >= gold + 0.1 and (given >= limits.collapse * gold or given > limits.top):
            found["collapse"] = f"collapse: level {k} is given in {given:.0%} of natural cases and right in {gold:.0%}."
    if now["none"] > limits.silence:
        found["silence"] = f"silence: {now['none']:.0%} of completions give no answer."
    clipped, flat = (now.get(key, 0.0) for key in TRL_KEYS)
    if clipped > limits.truncation:
        found["truncation"] = f"truncation: {clipped:.0%} of completions are cut at the token limit."
    if flat > limits.no_signal:
        found["no signal"] = f"no signal: in {flat:.0%} of groups all completions earn the same."
    fell, rose = first["exact"] - now["exact"], now["hedge"] - first["hedge"]
    if fell >= limits.hedging and rose >= limits.hedging:
        found["hedging"] = (
            f"hedging: since the first window exact fell from {first['exact']:.0%} to {now['exact']:.0%}, while "
            f"errors by one level rose from {first['hedge']:.0%} to {now['hedge']:.0%} of all errors."
        )
    return found


def _kept(key: str) -> bool:
    return key.startswith(("watch/", "rewards/")) or key in TRL_KEYS


def _entropy(weights: Sequence[float]) -> float:
    """In nats, of shares in proportion to `weights`; 0 where there are none."""
    total = sum(weights)
    return sum(w / total * math.log(total / w) for w in weights if w > 0)
