"""A model is a name and a function from narratives to replies. The simplest one says the same to everybody."""

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..answer import parse
from ..errors import InputError
from ..esi import Case

Probabilities = tuple[float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply: the level (1 to 5, or None), the text it was read from, and what is known of how it came about.

    `probabilities` of ESI 1 to 5 where the model has them; `strict` as `parse` says; `tokens` generated (0 where
    nothing was generated); `truncated` when generation hit its limit; `error` says why there is no reply at all.
    """

    level: int | None
    text: str
    strict: bool
    probabilities: Probabilities | None = None
    tokens: int = 0
    truncated: bool = False
    error: str | None = None


def reply_of(text: str, tokens: int = 0, truncated: bool = False, probabilities: Probabilities | None = None) -> Reply:
    """A reply whose level is what the one parser reads in `text`."""
    answer = parse(text)
    return Reply(answer.level, answer.text, answer.strict, probabilities, tokens, truncated)


def no_reply(error: str) -> Reply:
    """What stands for a reply that never came: no level, which counts as wrong, and the reason."""
    return Reply(None, "", False, error=error)


Stream = Callable[[Sequence[Case]], Generator[list[tuple[int, Reply]], None, None]]
"""Cases to (place, reply) pairs, as they become known: some at a time, in any order, each place once."""


@dataclass(frozen=True, slots=True)
class Model:
    """Something that answers narratives. `answer(narratives, advance)` keeps order and count.

    It calls `advance(k)` whenever k more are done, so that a caller can show progress. `stream` is there where the
    model reads more of a case than its narrative, or takes so long that its replies are kept one by one; `identity`
    then stands for all that decides a reply (weights, prompt, settings), so that a kept one is never taken for another
    model's; `settings` are those to report (prompt, decoding, endpoint, agreement), as plain values. `again(k)`, k from
    1, is the same model with other chance, for its sample k + 1; null where no chance is in its answers.
    """

    name: str
    answer: Callable[[Sequence[str], Callable[[int], object]], list[Reply]]
    stream: Stream | None = None
    identity: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    again: Callable[[int], "Model"] | None = None


def streaming_model(
    name: str,
    stream: Stream,
    identity: str | None = None,
    settings: Mapping[str, Any] | None = None,
    again: Callable[[int], Model] | None = None,
) -> Model:
    """A model made of its stream. Bare narratives become cases that say nothing else, and count as credentialed."""

    def answer(narratives: Sequence[str], advance: Callable[[int], object]) -> list[Reply]:
        cases = [
            Case(case_id=str(place), source="text", licence="credentialed", narrative=narrative)
            for place, narrative in enumerate(narratives)
        ]
        replies: dict[int, Reply] = {}
        for known in stream(cases):
            replies.update(known)
            advance(len(known))
        return [replies[place] for place in range(len(cases))]

    return Model(name, answer, stream, identity, settings or {}, again)


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
