"""What was not understood: the clauses of a narrative in which nothing was found."""

from collections.abc import Iterable, Iterator, Sequence

from ..findings import Evidence
from .tokens import Token

_SHORTEST = 3
"""Words of a clause that may hold something of weight; shorter ones are names and asides."""

_PARTS = frozenset((",", ";", ".", "!", "?", ":", "(", ")"))


def unread_clauses(narrative: str, tokens: Sequence[Token], found: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """The clauses that no span of `found` touches, in order of the text."""
    spans = [(span.start, span.end) for span in found]
    clauses = (clause for clause in _clauses(tokens) if len(clause) >= _SHORTEST)
    return tuple(
        Evidence(clause[0].start, clause[-1].end, narrative[clause[0].start : clause[-1].end])
        for clause in clauses
        if not any(start < clause[-1].end and clause[0].start < end for start, end in spans)
    )


def _clauses(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The words between stops and commas, numbers and signs left out."""
    clause: list[Token] = []
    for token in tokens:
        if token.text in _PARTS:
            yield clause
            clause = []
        if token.text[0].isalpha():
            clause.append(token)
    yield clause
