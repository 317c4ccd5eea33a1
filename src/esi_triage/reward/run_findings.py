"""What a window of a GRPO run's logged rows shows: means, and the findings that they are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

TRL_KEYS = ("completions/clipped_ratio", "frac_reward_zero_std")


@dataclass(frozen=True)
class Limits:
    """Where a run is taken to walk into a finding. All are about means over a window, so that one odd step is none."""

    window: int = 50  # steps; with one prompt a step, a share then has a standard error of 7 points at most
    collapse: float = 3.0  # a level is given so many times as often as it is right, and in a tenth of all cases more
    top: float = 0.9  # or in so many of all cases, and in a tenth more than it is right
    silence: float = 0.2  # completions without an answer: abstention; on the model card, v48 ended at 0.25
    truncation: float = 0.5  # completions cut at the token limit: half of what is paid for goes unread
    no_signal: float = 0.9  # groups in which all earn the same, so that nothing is learned from them
    hedging: float = 0.2  # exact falls and the hedge share rises by so much since the first window: two standard errors


def window_means(rows: Sequence[dict[str, float]], levels: range) -> dict[str, float]:
    """Means over logged rows. `level_k` and `gold_k` become shares in deployment; `hedge` is of all errors."""
    keys = sorted({key for row in rows for key in row})
    mean = {key: sum(row[key] for row in rows if key in row) / sum(key in row for row in rows) for key in keys}
    found = {key.removeprefix("watch/"): value for key, value in mean.items()}
    weight = sum(found[f"gold_{k}"] for k in levels)
    found |= {f"{of}_{k}": found[f"{of}_{k}"] / weight for of in ("level", "gold") for k in levels}
    found["hedge"] = found["by_one"] / found["wrong"] if found["wrong"] else 0.0
    return found | {"entropy": entropy([found[f"level_{k}"] for k in levels])}


def watch_findings(now: dict[str, float], first: dict[str, float], limits: Limits, levels: range) -> dict[str, str]:
    """Each finding that the measures show, with one sentence. `first` is what they were in the first window."""
    found: dict[str, str] = {}
    for k in levels:
        given, gold = now[f"level_{k}"], now[f"gold_{k}"]
        if given >= gold + 0.1 and (given >= limits.collapse * gold or given > limits.top):
            found["collapse"] = f"collapse: level {k} is given in {given:.0%} of cases and right in {gold:.0%}."
    if now["none"] > limits.silence:
        found["silence"] = f"abstention: {now['none']:.0%} of completions give no answer."
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


def entropy(weights: Sequence[float]) -> float:
    """In nats, of shares in proportion to `weights`; 0 where there are none."""
    total = sum(weights)
    return sum(w / total * math.log(total / w) for w in weights if w > 0)
