"""The words of the catalogue found in a narrative, each with the contexts that hold there."""

from collections.abc import Sequence
from typing import NamedTuple

from ..catalogue import entries
from ..findings import Evidence
from .context import contexts_at, scopes_in
from .tokens import Token, gist
from .typos import mended
from .vocabulary import places_in, vocabulary_tree


class Mention(NamedTuple):
    """One place where the text names an entry, or a word group of words.toml (its name starts with `@`)."""

    name: str
    start: int  # characters
    end: int
    first: int  # words, half open
    last: int
    sentence: int
    flags: frozenset[str]
    begins: int  # first and last once more, without the words that tell the patient's age
    ends: int


_TAKEN = "·"
"""Stands for a number that belongs to the age: "65 M took his tablets" is no count of tablets."""


def find_mentions(tokens: Sequence[Token], age: Evidence | None = None) -> list[Mention]:
    """Every mention of the vocabulary, in order, with the names of the contexts that hold there."""
    words = [_TAKEN if _in(token, age) else mended(token.text) for token in tokens]
    at_word = gist(words)
    places = [
        (at_word[first][0], at_word[last - 1][0] + 1, name)
        for first, last, name in places_in([word for _, word in at_word], vocabulary_tree())
    ]
    scopes, counted = scopes_in(tokens, words), _counted(tokens, age)
    return [
        Mention(
            name,
            tokens[first].start,
            tokens[last - 1].end,
            first,
            last,
            tokens[first].sentence,
            contexts_at(first, last, scopes),
            counted[first],
            counted[last],
        )
        for first, last, name in map(places.__getitem__, keep_longer(places))
    ]


_BEFORE_AGE = frozenset({"a", "an", "the", "of", "in", "this"})
_AFTER_AGE = frozenset({"man", "woman", "male", "female", "boy", "girl", "lady", "gentleman", "patient", "m", "f"})


def _counted(tokens: Sequence[Token], age: Evidence | None) -> list[int]:
    """How many words stand before each word (and before the end), the age not counted, which sets apart what belongs
    together: "the calf of a 39-year-old man became swollen"."""
    inside = [age is not None and age.start <= token.start < age.end for token in tokens]
    if any(inside):
        first, last = inside.index(True), len(inside) - 1 - inside[::-1].index(True)
        while first > 0 and tokens[first - 1].text in _BEFORE_AGE:
            first -= 1
            inside[first] = True
        if last + 1 < len(tokens) and tokens[last + 1].text in _AFTER_AGE:
            inside[last + 1] = True
    counted = [0]
    for skipped in inside:
        counted.append(counted[-1] + (not skipped))
    return counted


def _in(token: Token, age: Evidence | None) -> bool:
    return age is not None and token.text[0].isdigit() and age.start <= token.start < age.end


def keep_longer(places: list[tuple[int, int, str]]) -> list[int]:
    """Which of the places (start, end, name) count: not words inside an idiom, and not words that overlap a phrase
    which stands instead of them (`instead_of`).

    What is as long as the idiom stands: "chest film" is a film, though nothing is wrong with the chest.
    """
    known = entries()
    longer = [(start, end, known[name]) for start, end, name in places if name in known]
    idioms = [(start, end) for start, end, entry in longer if entry.kind == "idiom"]
    hiding = [(start, end, entry.instead_of) for start, end, entry in longer if entry.instead_of]
    return [
        i
        for i, (start, end, name) in enumerate(places)
        if not (name in known and known[name].kind == "idiom")
        and not any(first <= start and end <= last and last - first > end - start for first, last in idioms)
        and not any(first < end and start < last and name in hidden for first, last, hidden in hiding)
    ]
