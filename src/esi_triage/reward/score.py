"""From (answer, gold) to a number. The only place where a reward is computed: training, evaluation and CLI call it."""

import re
from typing import NamedTuple

from ..answer import Answer
from .design import Design, Outcome, pays

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

    `gold` is 1 to n (ValueError otherwise); a level that the table lacks counts as no answer. `tokens` is the length of
    the whole completion, thinking included, in the model's own tokens. Source: the reward table of the model card; what
    its prose leaves open is named in the design.
    """
    n = len(design.table)
    if gold not in range(1, n + 1):
        raise ValueError(f"gold must be a level from 1 to {n}, not {gold!r}")
    level = answer.level if answer.level in range(1, n + 1) else None
    outcome: Outcome = "silent" if level is None else "exact" if level == gold else "wrong"
    formatted = answer.strict if design.format_means == "strict" else answer.sections
    return Score(
        design.no_parse if level is None else design.table[gold - 1][level - 1],
        design.format_bonus if formatted and pays(design.format_paid, outcome) else 0.0,
        design.brevity(tokens) if pays(design.length_paid, outcome) else 0.0,
    )
