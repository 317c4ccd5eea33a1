"""Which entries a phrase names when it stands alone. Contexts are not read."""

from functools import cache

from ..catalogue import entries
from .context import contexts, trigger_phrases
from .mentions import keep_longer
from .tokens import normalise, words_of
from .vocabulary import gist_of, places_in, vocabulary_tree


def names_in(phrase: str) -> frozenset[str]:
    """The entries that the phrase names, by its words or by word groups near each other."""
    places = places_in(gist_of(normalise(phrase)), vocabulary_tree())
    kept = {places[i][2] for i in keep_longer(places)} if len(places) > 1 else {name for _, _, name in places}
    groups = {name for name in kept if name.startswith("@")}
    near = {entry for line, entry in _near_lines() if line <= groups} if groups else set[str]()
    return frozenset(kept - groups | near)


def sets_a_context(phrase: str) -> bool:
    """True where the phrase has a word that negates, dates or supposes what stands beside it."""
    words = words_of(normalise(phrase))
    return any(
        tuple(words[start:end]) in _triggers()
        for start in range(len(words))
        for end in range(start + 1, min(len(words), start + 4) + 1)
    )


@cache
def _near_lines() -> tuple[tuple[frozenset[str], str], ...]:
    return tuple((frozenset(line), entry.name) for entry in entries().values() for line in entry.near)


@cache
def _triggers() -> frozenset[tuple[str, ...]]:
    return frozenset(
        tuple(words_of(phrase))
        for triggers in contexts().values()
        for kind in ("before", "after")
        for phrase in trigger_phrases(triggers, kind)
    )
