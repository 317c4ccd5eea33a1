"""Which entries a phrase names when it stands alone, by the rules of `read` but without its language pipeline.

For whole lists of phrases: an index of the vocabulary takes a tenth of the pipeline's start-up. Contexts are not read.
"""

from functools import cache

from .catalogue import entries, rules
from .context import keep_longer
from .vocabulary import Index, index_of, normalise, places_in, termset

_Words = tuple[str, ...]


def names_in(phrase: str) -> frozenset[str]:
    """The entries that the phrase names, by its words or by word groups near each other."""
    places = places_in(_words(phrase), _index())
    kept = {places[i][2] for i in keep_longer(places)} if len(places) > 1 else {name for _, _, name in places}
    groups = {name for name in kept if name.startswith("@")}
    near = {entry for line, entry in _near_lines() if line <= groups} if len(groups) > 1 else set[str]()
    return frozenset(kept - groups | near)


def sets_a_context(phrase: str) -> bool:
    """True where the phrase has a word that negates, dates or supposes what stands beside it."""
    words = _words(phrase)
    return any(
        words[start:end] in _triggers()
        for start in range(len(words))
        for end in range(start + 1, min(len(words), start + 4) + 1)
    )


def _words(phrase: str) -> _Words:
    return tuple(normalise(phrase).replace(",", " ").split())


@cache
def _index() -> Index:
    return index_of(str.split)


@cache
def _near_lines() -> tuple[tuple[frozenset[str], str], ...]:
    return tuple((frozenset(line), entry.name) for entry in entries().values() for line in entry.near)


@cache
def _triggers() -> frozenset[_Words]:
    lists = (termset(triggers) for triggers in rules("context").values())
    return frozenset(
        tuple(phrase.split())
        for found in lists
        for key in ("preceding_negations", "following_negations")
        for phrase in found[key]
    )
