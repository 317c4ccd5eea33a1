"""A design as TRL reward functions: three, so that TRL logs `rewards/answer`, `rewards/format` and `rewards/length`.

trainer = GRPOTrainer(model, reward_funcs=reward_functions(load_design("v46")), ...)   # rows need a `gold` column
"""

from collections.abc import Callable, Sequence
from typing import Any

from ..answer import Answer, parse
from .design import Design
from .score import score

RewardFunction = Callable[..., list[float]]


def reward_functions(design: Design) -> list[RewardFunction]:
    """`[answer, format, length]` for `GRPOTrainer(reward_funcs=...)`. They sum to `score(...).total`."""

    def part(name: str, watch: bool = False) -> RewardFunction:
        def function(
            completions: Sequence[Any], completion_ids: Sequence[Sequence[int]], gold: Sequence[int], **columns: Any
        ) -> list[float]:
            answers = [parse(completion_text(completion)) for completion in completions]
            if watch:
                _log_predictions(answers, gold, design.levels, columns.get("log_metric"))
            scored = zip(answers, gold, completion_ids, strict=True)
            return [getattr(score(answer, g, design, len(ids)), name) for answer, g, ids in scored]

        function.__name__ = name
        return function

    return [part("answer", watch=True), part("format"), part("length")]


def completion_text(completion: Any) -> str:
    """The text of a completion as TRL passes it: a string, or a list of messages (reasoning first, where split off)."""
    if isinstance(completion, str):
        return completion
    message = completion[-1]
    reasoning = message.get("reasoning_content")
    content = message.get("content") or ""
    return f"{reasoning}</think>{content}" if reasoning else content


def _log_predictions(
    answers: list[Answer], gold: Sequence[int], levels: range, log_metric: Callable[[str, float], None] | None
) -> None:
    """What the policy predicts in this batch: shares per level, silence, exactness, and hedging (wrong by one)."""
    if log_metric is None:
        return
    n = len(answers)
    for level in levels:
        log_metric(f"predicted/esi_{level}", sum(answer.level == level for answer in answers) / n)
    log_metric("predicted/none", sum(answer.level is None for answer in answers) / n)
    log_metric("predicted/strict", sum(answer.strict for answer in answers) / n)
    distances = [abs(a.level - g) for a, g in zip(answers, gold, strict=True) if a.level is not None]
    log_metric("predicted/exact", distances.count(0) / n)
    log_metric("predicted/off_by_one", distances.count(1) / n)
