"""The phrases of the catalogue as they are looked for in a text: lower case, plain characters, every spelling."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from .catalogue import entries, expand, rules, word_groups

_AS_SPACE = dict.fromkeys(map(ord, "-–—/_*\t•·\u200b\u200c\u200d\u2060\ufeff"), " ")
_AS_PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "\n": ";", "\r": ";"})
_CONTROL = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127), " ")


def normalise(text: str) -> str:
    """Lower case with hyphens, slashes and control characters as spaces; the length never changes, so spans hold.

    A line break ends a sentence as a semicolon does.
    """
    plain = text.translate(_CONTROL | _AS_PLAIN | _AS_SPACE)
    lower = plain.lower()
    return lower if len(lower) == len(plain) else "".join(c.lower() if len(c.lower()) == 1 else c for c in plain)


@cache
def vocabulary() -> dict[str, list[str]]:
    """Entry names and word groups with their phrases, as `normalise` leaves them, in every spelling."""
    said = {name: entry.say for name, entry in entries().items() if entry.say}
    said |= {f"@{group}": phrases for group, phrases in word_groups().items()}
    plain = {name: {" ".join(normalise(phrase).split()) for phrase in said[name]} for name in said}
    return {name: sorted({spelt for phrase in plain[name] for spelt in _spellings(phrase)}) for name in plain}


def _spellings(phrase: str) -> Iterator[str]:
    """The phrase, with its words shortened, and on either side of the Atlantic (rules/spellings.toml)."""
    yield phrase
    short: dict[str, str] = rules("spellings")["short"]
    words = phrase.split()
    if len(words) > 1 and not short.keys().isdisjoint(words):
        yield " ".join(short.get(word, word) for word in words)
    forms, american, british = _stems()
    if american.search(phrase):
        yield american.sub(lambda found: forms[found.group()], phrase)
    if british.search(phrase):
        yield british.sub(lambda found: forms[found.group()], phrase)


@cache
def _stems() -> tuple[dict[str, str], re.Pattern[str], re.Pattern[str]]:
    """Stems with their form on the other side, and patterns for the American and the British ones.

    What looks American is not so inside "oedema" or "chemo".
    """
    forms: dict[str, str] = rules("spellings")["british"]
    american = re.compile(rf"(?<!c)(?!(?<=o)e)(?:{'|'.join(forms)})")
    return forms | {theirs: ours for ours, theirs in forms.items()}, american, re.compile("|".join(forms.values()))


def termset(triggers: dict[str, Any]) -> dict[str, list[str]]:
    """The trigger lists of one context under negspacy's names."""
    keys = {"pseudo": "pseudo_negations", "before": "preceding_negations", "after": "following_negations"}
    lists = {theirs: triggers.get(ours, []) for ours, theirs in (*keys.items(), ("stop", "termination"))}
    return {
        key: sorted({" ".join(normalise(p).split()) for written in lists[key] for p in expand(written)})
        for key in lists
    }


class Index(NamedTuple):
    """Names by the words of their phrases, and the lengths of the phrases that begin with a word."""

    names: dict[tuple[str, ...], list[str]]
    lengths: dict[str, tuple[int, ...]]


def index_of(split: Callable[[str], Iterable[str]]) -> Index:
    """The whole vocabulary, its phrases split into words by `split`."""
    names: dict[tuple[str, ...], list[str]] = defaultdict(list)
    lengths: dict[str, set[int]] = defaultdict(set)
    for name, phrases in vocabulary().items():
        for phrase in phrases:
            words = tuple(split(phrase))
            names[words].append(name)
            lengths[words[0]].add(len(words))
    return Index(dict(names), {word: tuple(sorted(found)) for word, found in lengths.items()})


def places_in(words: Sequence[str], index: Index) -> list[tuple[int, int, str]]:
    """Every phrase in a text of `words`: (first word, the word after the last, name), in order.

    spaCy's PhraseMatcher finds the same; to build it takes a second of start-up for 56,000 phrases, this a tenth.
    """
    return [
        (start, start + n, name)
        for start, word in enumerate(words)
        for n in index.lengths.get(word, ())
        if start + n <= len(words)
        for name in index.names.get(tuple(words[start : start + n]), ())
    ]


@cache
def known_words() -> frozenset[str]:
    """Every word of the vocabulary and of the context triggers."""
    phrases = [phrase for phrases in vocabulary().values() for phrase in phrases]
    phrases += [p for triggers in rules("context").values() for found in termset(triggers).values() for p in found]
    return frozenset(word for phrase in phrases for word in phrase.split())
