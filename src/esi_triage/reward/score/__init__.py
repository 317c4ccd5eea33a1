"""From (answer, gold) to a number. The only place where a reward is computed: training, evaluation and CLI call it."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from ...answer import Answer
from ..design import Design, Outcome, pays
from .confirmed_steps import confirmed_share, consistent_share
from .ranked_probability import ranked_probability_reward

_PIECE = re.compile(r"\w+|[^\w\s]")


class Score(NamedTuple):
    """A reward in its named parts."""

    answer: float
    format: float
    length: float
    steps: float = 0.0

    @property
    def total(self) -> float:
        """What the trainer maximises: the sum of the parts."""
        return self.answer + self.format + self.length + self.steps


def approximate_tokens(text: str) -> int:
    """Words and punctuation marks in `text`: the length used where no tokenizer is at hand (CLI, benchmarks)."""
    return len(_PIECE.findall(text))


def score(
    answer: Answer,
    gold: int,
    design: Design,
    tokens: int,
    narrative: str | None = None,
    probabilities: Sequence[float] | None = None,
) -> Score:
    """Score one parsed answer.

    `gold` is 1 to n (ValueError otherwise); a level that the table lacks counts as no answer. `tokens` is the length of
    the whole completion, thinking included, in the model's own tokens. `narrative` is the note that was answered; a
    design that pays for steps needs it (ValueError). `probabilities` are the policy's of levels 1 to n where it
    answered; for a design that scores them, an answer without them is none. Source: the reward table of the model card;
    what its prose leaves open is named in the design.
    """
    n = len(design.table)
    if gold not in range(1, n + 1):
        raise ValueError(f"gold must be a level from 1 to {n}, not {gold!r}")
    level = answer.level if answer.level in range(1, n + 1) else None
    if design.scores_probabilities and probabilities is None:
        level = None
    outcome: Outcome = "no answer" if level is None else "exact" if level == gold else "wrong"
    formatted = answer.strict if design.format_means == "strict" else answer.sections
    return Score(
        design.no_parse if level is None else _answer(level, gold, design, probabilities),
        design.format_bonus if formatted and pays(design.format_paid, outcome) else 0.0,
        design.brevity(tokens) if pays(design.length_paid, outcome) else 0.0,
        _steps(answer, design, narrative) if design.steps_bonus and pays(design.steps_paid, outcome) else 0.0,
    )


def _answer(level: int, gold: int, design: Design, probabilities: Sequence[float] | None) -> float:
    if design.scores_probabilities and probabilities is not None:
        return design.table[gold - 1][gold - 1] + ranked_probability_reward(probabilities, level, gold, design.step)
    return design.table[gold - 1][level - 1]


def _steps(answer: Answer, design: Design, narrative: str | None) -> float:
    if narrative is None:
        raise ValueError(f"{design.name} pays for steps, which are checked against the note: give the narrative")
    share = confirmed_share if design.steps_means == "confirmed" else consistent_share
    return design.steps_bonus * share(narrative, answer)
