"""A model is a name and a stream of replies to cases. `ask` is the one way to put cases to it."""

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..answer import parse
from ..errors import InputError
from ..esi import Case, Decision, Findings

Probabilities = tuple[float, float, float, float, float]
WITHOUT_CHAIN = "fast: no chain"
"""The setting `decoding` of a language model that gives its level at once."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply: the level (1 to 5, or None), the text it was read from, and what is known of how it came about.

    `probabilities` of ESI 1 to 5 where the model has them; `possible` the levels that it does not exclude, where it
    knows them; `warnings` sentences for whoever reads the level; `strict` as `parse` says; `tokens` generated (0 where
    nothing was generated); `truncated` when generation hit its limit; `error` says why there is no reply at all.
    `level_set` are the levels that calibrated probabilities do not exclude, null without calibration; `hand_over` the
    codes of the reasons why a person decides (`guard.hand_over.in_words` says them), empty where the answer stands.
    """

    level: int | None
    text: str
    strict: bool
    probabilities: Probabilities | None = None
    tokens: int = 0
    truncated: bool = False
    error: str | None = None
    possible: tuple[int, ...] | None = None
    warnings: tuple[str, ...] = ()
    level_set: tuple[int, ...] | None = None
    hand_over: tuple[str, ...] = ()


def reply_of(text: str, tokens: int = 0, truncated: bool = False, probabilities: Probabilities | None = None) -> Reply:
    """A reply whose level is what the one parser reads in `text`."""
    answer = parse(text)
    return Reply(answer.level, answer.text, answer.strict, probabilities, tokens, truncated)


def no_reply(error: str) -> Reply:
    """What stands for a reply that never came: no level, which counts as wrong, and the reason."""
    return Reply(None, "", False, error=error)


class Reading(NamedTuple):
    """What the ESI engine finds in one narrative, and what it decides on that (handbook v5)."""

    findings: Findings
    decision: Decision


Stream = Callable[[Sequence[Case]], Generator[list[tuple[int, Reply]], None, None]]
"""Cases to (place, reply) pairs, as they become known: some at a time, in any order, each place once."""


@dataclass(frozen=True, slots=True)
class Model:
    """Something that answers cases.

    `identity` is there where the model takes so long that its replies are kept one by one; it stands for all that
    decides a reply (weights, prompt, settings), so that a kept one is never taken for another model's. `settings` are
    those to report (prompt, decoding, endpoint, agreement), as plain values. `again(k)`, k from 1, is the same model
    with another random state, for its sample k + 1; None where its answers are deterministic. `notice` is what everyone
    who reads its answers must know about the model, e.g. that its base is a toy. `from_reading` is there where a reply
    follows from the engine's reading alone: whoever has read a case already need not ask. `judges` is true where the
    model says itself when a person decides: then a reply without `hand_over` stands.
    """

    name: str
    stream: Stream
    identity: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    again: Callable[[int], "Model"] | None = None
    notice: str | None = None
    from_reading: Callable[[Reading], Reply] | None = None
    judges: bool = False


def one_by_one(name: str, reply_to: Callable[[Case], Reply]) -> Model:
    """A model that needs no more than a function from one case to its reply."""

    def stream(cases: Sequence[Case]) -> Generator[list[tuple[int, Reply]], None, None]:
        for place, case in enumerate(cases):
            yield [(place, reply_to(case))]

    return Model(name, stream)


def ask(
    model: Model,
    cases: Sequence[Case],
    known: Mapping[int, Reply] | None = None,
    told: Callable[[list[tuple[Case, Reply]]], object] = lambda _: None,
) -> list[Reply]:
    """The model's replies to `cases`, in order.

    `known` replies, by place, are taken as they are. `told` is called with each batch as it comes, so that a caller can
    keep it or show progress.
    """
    replies = dict(known or {})
    asked = [place for place in range(len(cases)) if place not in replies]
    with closing(model.stream([cases[place] for place in asked])) as coming:
        for batch in coming:
            told([(cases[asked[i]], reply) for i, reply in batch])
            replies.update((asked[i], reply) for i, reply in batch)
    return [replies[place] for place in range(len(cases))]


def text_case(narrative: str, name: str = "1") -> Case:
    """A bare narrative as a case that says nothing else. It counts as credentialed: nobody has said otherwise."""
    return Case(case_id=name, source="text", licence="credentialed", narrative=narrative)


def constant_model(spec: str) -> Model:
    """`constant:2` and its like: the same level for everybody. The baseline that every number stands beside."""
    found = re.fullmatch(r"constant:([1-5])", spec)
    if found is None:
        raise InputError(f"model {spec!r}: a constant model is constant:1 to constant:5.")
    level = int(found[1])
    one, two, three, four, five = (float(k == level) for k in range(1, 6))
    reply = reply_of(f"ANSWER: ESI {level}", probabilities=(one, two, three, four, five))
    return one_by_one(spec, lambda _: reply)
