"""The phrases of the catalogue as they are looked for in a text: lower case, plain characters, every spelling."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache

from ..catalogue import entries, rules, word_groups
from .tokens import gist, normalise, words_of


@cache
def vocabulary() -> dict[str, list[str]]:
    """Entry names and word groups with their phrases, as `normalise` leaves them, in every spelling."""
    said = {name: entry.say for name, entry in entries().items() if entry.say}
    said |= {f"@{group}": phrases for group, phrases in word_groups().items()}
    plain = {name: {" ".join(normalise(phrase).split()) for phrase in said[name]} for name in said}
    return {
        name: sorted({spelt for phrase in plain[name] for spelt in _spellings(phrase) if not _is_only_its_noun(spelt)})
        for name in plain
    }


def _is_only_its_noun(phrase: str) -> bool:
    """True of "a limp": without its article it would be read in "limp", too."""
    return " " in phrase and len(gist_of(phrase)) == 1 and len(words_of(phrase)) > 1


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


_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


class Node:
    """A word of a phrase in the tree of all phrases: what may follow it, and the names of what ends with it."""

    __slots__ = ("endings", "names", "ranges", "words")

    def __init__(self) -> None:
        self.words: dict[str, Node] = {}
        self.ranges: dict[tuple[float, float], Node] = {}  # a number from .. to: `{5..42}` in a phrase
        self.endings: dict[str, Node] = {}  # any word that ends so: `~ing` in a phrase, for classes that are open
        self.names: list[str] = []

    def after(self, word: str) -> list["Node"]:
        """The nodes that the next word of a text leads to."""
        found = [self.words[word]] if word in self.words else []
        if self.ranges and word[0] in "0123456789" and _NUMBER.fullmatch(word):
            number = float(word)
            found += [node for (low, high), node in self.ranges.items() if low <= number <= high]
        found += [
            node for ending, node in self.endings.items() if word.endswith(ending) and len(word) > len(ending) + 1
        ]
        return found


def tree_of(phrases_of: Mapping[str, Iterable[str]], split: Callable[[str], Iterable[str]] = words_of) -> Node:
    """The tree of all phrases, which `normalise` has been over, with the names that they stand for."""
    root = Node()
    for name, phrases in phrases_of.items():
        for phrase in phrases:
            node = root
            for word in split(phrase):
                node = _child(node, word)
            if name not in node.names:
                node.names.append(name)
    return root


def _child(node: Node, word: str) -> Node:
    if word[0] == "{" and len(word) > 1:
        low, high = word[1:-1].split("..")
        return node.ranges.setdefault((float(low), float(high)), Node())
    if word[0] == "~" and len(word) > 1:
        return node.endings.setdefault(word[1:], Node())
    found = node.words.get(word)
    if found is None:  # not setdefault, which would make a node for every word of every phrase
        found = node.words[word] = Node()
    return found


@cache
def vocabulary_tree() -> Node:
    """The whole vocabulary by the gist of its phrases."""
    return tree_of(vocabulary(), gist_of)


def gist_of(phrase: str) -> tuple[str, ...]:
    """The words that a phrase is compared by."""
    return tuple(word for _, word in gist(words_of(phrase)))


def places_in(words: Sequence[str], tree: Node) -> list[tuple[int, int, str]]:
    """Every phrase in a text of `words`: (first word, the word after the last, name), in order."""
    places: list[tuple[int, int, str]] = []
    for start, word in enumerate(words):
        nodes, end = tree.after(word), start + 1
        while nodes:
            places += [(start, end, name) for node in nodes for name in node.names]
            if end == len(words):
                break
            following = words[end]
            nodes = [later for node in nodes for later in node.after(following)]
            end += 1
    return places
