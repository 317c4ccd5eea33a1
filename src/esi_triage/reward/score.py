"""From (answer, gold) to a number. The only place where a reward is computed: training, evaluation and CLI call it."""

import re
from typing import NamedTuple

from ..answer import Answer
from .design import Design, Paid

_PIECE = re.compile(r"\w+|[^\w\s]")


class Score(NamedTuple):
    """A reward in its named parts."""

    answer: float
    format: float
    length: float

    @property
    def total(self) -> float:
        """What the trainer maximises: the sum of the parts."""
        return self.answer + self.format + self.length


def approximate_tokens(text: str) -> int:
    """Words and punctuation marks in `text`: the length used where no tokenizer is at hand (CLI, benchmarks)."""
    return len(_PIECE.findall(text))


def score(answer: Answer, gold: int, design: Design, tokens: int) -> Score:
    """Score one parsed answer.

    `gold` is 1 to 5 (ValueError otherwise); `tokens` is the length of the whole completion, thinking included, in the
    model's own tokens. Source: the reward table of the model card; what its prose leaves open is named in the design.
    """
    if gold not in (1, 2, 3, 4, 5):
        raise ValueError(f"gold must be an ESI level from 1 to 5, not {gold!r}")
    level = answer.level
    earned = design.no_parse if level is None else design.table[gold - 1][level - 1]
    formatted = answer.strict if design.format_means == "strict" else answer.sections
    pays_format = formatted and _paid(design.format_paid, level, gold)
    pays_length = tokens <= design.length_limit and _paid(design.length_paid, level, gold)
    share = 1.0 if design.length_scale == "flat" else 1.0 - tokens / design.length_limit
    return Score(
        earned, design.format_bonus if pays_format else 0.0, design.length_bonus * share if pays_length else 0.0
    )


def _paid(when: Paid, level: int | None, gold: int) -> bool:
    return when == "always" or (when == "parsed" and level is not None) or (when == "exact" and level == gold)
