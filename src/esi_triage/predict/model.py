"""A model is a name and a function from narratives to replies. The simplest one says the same to everybody."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..answer import parse
from ..errors import InputError

Probabilities = tuple[float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply: the level (1 to 5, or None), the text it was read from, and what is known of how it came about.

    `probabilities` of ESI 1 to 5 where the model has them; `strict` as `parse` says; `tokens` generated (0 where
    nothing was generated); `truncated` when generation hit its limit.
    """

    level: int | None
    text: str
    strict: bool
    probabilities: Probabilities | None = None
    tokens: int = 0
    truncated: bool = False


def reply_of(text: str, tokens: int = 0, truncated: bool = False, probabilities: Probabilities | None = None) -> Reply:
    """A reply whose level is what the one parser reads in `text`."""
    answer = parse(text)
    return Reply(answer.level, answer.text, answer.strict, probabilities, tokens, truncated)


@dataclass(frozen=True, slots=True)
class Model:
    """Something that answers narratives. `answer(narratives, advance)` keeps order and count.

    It calls `advance(k)` whenever k more are done, so that a caller can show progress.
    """

    name: str
    answer: Callable[[Sequence[str], Callable[[int], object]], list[Reply]]


def constant_model(spec: str) -> Model:
    """`constant:2` and its like: the same level for everybody. The baseline that every number stands beside."""
    found = re.fullmatch(r"constant:([1-5])", spec)
    if found is None:
        raise InputError(f"model {spec!r}: a constant model is constant:1 to constant:5.")
    level = int(found[1])
    one, two, three, four, five = (float(k == level) for k in range(1, 6))
    reply = reply_of(f"ANSWER: ESI {level}", probabilities=(one, two, three, four, five))

    def answer(narratives: Sequence[str], advance: Callable[[int], object]) -> list[Reply]:
        advance(len(narratives))
        return [reply] * len(narratives)

    return Model(spec, answer)
