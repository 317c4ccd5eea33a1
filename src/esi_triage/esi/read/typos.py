"""Typing errors: a word that the catalogue does not know, one error from a single word that it knows.

An error is two letters that changed places, one lost or one doubled, never the first of the word: "seizrue",
"blleding". Words that are right as they stand (rules/typos.toml) are left.
"""

from functools import cache, lru_cache
from string import ascii_lowercase

from ..catalogue import rules
from .context import contexts, trigger_phrases
from .vocabulary import vocabulary

_SHORTEST = 4  # none of these has lost a letter: "pian", "loow"
_LONGEST = 30  # no word of medicine is longer; a run of letters that is costs the square of its length


@lru_cache(maxsize=20_000)
def mended(word: str) -> str:
    """The word that was meant, or `word` itself."""
    if not (_SHORTEST <= len(word) <= _LONGEST and word.isascii() and word.isalpha()):
        return word
    if word in known_words() or word in _right():
        return word
    meant = {found for found in _meant(word) if found in known_words()}
    return meant.pop() if len(meant) == 1 else word


def _meant(word: str) -> set[str]:
    places = range(1, len(word))
    found = {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in places[:-1]}
    found |= {word[:i] + word[i + 1 :] for i in places if word[i] == word[i - 1]}
    if len(word) > _SHORTEST:
        found |= {word[:i] + letter + word[i:] for i in places for letter in ascii_lowercase}
    return found


@cache
def known_words() -> frozenset[str]:
    """Every word of the vocabulary and of the context triggers."""
    phrases = [phrase for phrases in vocabulary().values() for phrase in phrases]
    phrases += [
        phrase
        for triggers in contexts().values()
        for kind in ("pseudo", "before", "after", "stop")
        for phrase in trigger_phrases(triggers, kind)
    ]
    return frozenset(word for phrase in phrases for word in phrase.split())


@cache
def _right() -> frozenset[str]:
    return frozenset(rules("typos")["right"])
