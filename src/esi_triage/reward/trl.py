"""A design as TRL reward functions: one a part, so that TRL logs `rewards/answer`, `rewards/format`, `rewards/length`.

What the policy answers is logged by `Watch`.

trainer = GRPOTrainer(model, reward_funcs=reward_functions(load_design("v46")), ...)   # rows need a `gold` column
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ..answer import Answer, parse
from ..errors import InputError
from .design import Design
from .score import Score, score

RewardFunction = Callable[..., list[float]]
Reader = Callable[[str], Any]  # the text of a completion -> a label of the design, a level from 1, or None
READ = 5  # levels that the project's own answer format has


def reward_functions(design: Design, read: Reader | None = None) -> list[RewardFunction]:
    """`[answer, format, length]` for `GRPOTrainer(reward_funcs=...)`. They sum to `score(...).total`.

    A design that pays for steps has a fourth, `steps`, and needs the notes in a column `narrative`. One that scores
    probabilities needs them as `level_probabilities`, which `esi train` has from its own rollout.

    `read` says what a completion answers: one of the design's labels, a level from 1 on, or None; by default the level
    in "ANSWER: ESI 2". The column `gold` holds labels or levels. InputError where there are more levels than can be
    read, or where a gold value is no level.
    """
    level_in = reader(design.name, len(design.table), read)

    def answered(text: str) -> Answer:
        return replace(parse(text), level=design.level_of(level_in(text)))

    needs = {"narrative": bool(design.steps_bonus), "level_probabilities": design.scores_probabilities}

    def part(name: str) -> RewardFunction:
        def function(
            completions: Sequence[Any], completion_ids: Sequence[Sequence[int]], gold: Sequence[Any], **columns: Any
        ) -> list[float]:
            if lacking := [column for column, needed in needs.items() if needed and columns.get(column) is None]:
                named = f"{design.name}: its reward needs a column {lacking[0]!r}"
                raise InputError(f"{named} beside the completions, and there is none.")
            answers = [answered(completion_text(completion)) for completion in completions]
            more = (columns.get(column) or [None] * len(answers) for column in needs)
            rows = zip(answers, gold_levels(design, gold), map(len, completion_ids), *more, strict=True)
            return [getattr(score(answer, g, design, n, note, p), name) for answer, g, n, note, p in rows]

        function.__name__ = name
        return function

    return [part(name) for name in Score._fields if name != "steps" or design.steps_bonus]


def reader(name: str, levels: int, read: Reader | None) -> Reader:
    """`read`, or what reads the project's own format. InputError where that has fewer levels than there are."""
    if read is None and levels > READ:
        raise InputError(
            f"{name}: it has {levels} levels, and without a reader only ESI 1 to {READ} is read from a completion. "
            "Give read=, a function from the text of a completion to its level, its label, or None."
        )
    return read or (lambda text: parse(text).level)


def gold_levels(design: Design, gold: Sequence[Any], column: str = "gold") -> list[int]:
    """The levels of the values of a column. InputError where one is none."""
    found = [design.level_of(value) for value in gold]
    if None in found:
        names, other = ", ".join(design.labels) or f"1 to {len(design.table)}", gold[found.index(None)]
        raise InputError(f"{design.name}: column {column!r} holds {other!r}; levels are {names}.")
    return [level for level in found if level is not None]


def completion_text(completion: Any) -> str:
    """The text of a completion as TRL passes it: a string, or a list of messages (reasoning first, where split off)."""
    if isinstance(completion, str):
        return completion
    message = completion[-1]
    reasoning = message.get("reasoning_content")
    content = message.get("content") or ""
    return f"{reasoning}</think>{content}" if reasoning else content
