"""When words do not speak of this patient now: absent, past, of a relative, feared, planned, over ...

This is ConText (Harkema 2009), that is NegEx (Chapman 2001) with one trigger list a context: a trigger reaches forward
or back to the end of its sentence or to a stop word, and a pseudo-trigger hides the triggers inside it. The triggers
are in rules/context.toml. negspacy and medspaCy were weighed and left: docs/decisions.md.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

from ..catalogue import expand, rules
from .tokens import Token, normalise
from .vocabulary import Node, places_in, tree_of

_KINDS = ("pseudo", "before", "after", "stop")
_AFTER_A_CLAUSE = frozenset([*'.,;:!?)&"', "and", "but", "by", "at", "on", "in", "per", "today", "now", "so", "then"])


class _Scope(NamedTuple):
    """Words (first, after the last) that a trigger speaks of, and the context that it sets there.

    `touching`: it speaks only of what begins at its first word, or ends at its last.
    """

    first: int
    last: int
    context: str
    touching: Literal["first", "last"] | None = None

    def holds(self, first: int, last: int) -> bool:
        """Whether it speaks of the words from `first` to before `last`."""
        touches = {None: True, "first": first == self.first, "last": last == self.last}[self.touching]
        return touches and self.first <= first and last <= self.last


class _Found(NamedTuple):
    pseudo: list[tuple[int, int]]
    before: list[tuple[int, int]]
    after: list[tuple[int, int]]
    stop: list[tuple[int, int]]


def contexts() -> dict[str, dict[str, Any]]:
    """The contexts of rules/context.toml; one with `as_list` twice, the second time not ended by a comma."""
    found: dict[str, dict[str, Any]] = {}
    for name, triggers in rules("context").items():
        found[name] = triggers
        if triggers.get("as_list"):
            found[f"{name}_list"] = triggers | {"stop": [stop for stop in triggers["stop"] if stop != ","]}
    return found


def trigger_phrases(triggers: dict[str, Any], kind: str) -> set[str]:
    """The phrases of one kind of trigger of a context, expanded and plain."""
    return {" ".join(normalise(phrase).split()) for written in triggers.get(kind, ()) for phrase in expand(written)}


@cache
def _triggers() -> Node:
    """Every trigger phrase; its names are `context kind`."""
    named = {
        f"{name} {kind}": trigger_phrases(triggers, kind) for name, triggers in contexts().items() for kind in _KINDS
    }
    _refuse_cancelled(named)
    return tree_of(named)


def _refuse_cancelled(named: dict[str, set[str]]) -> None:
    """A phrase that is both a trigger and a pseudo-trigger of one context would never count."""
    for name in contexts():
        cancelled = named[f"{name} pseudo"] & (named[f"{name} before"] | named[f"{name} after"])
        if cancelled:
            raise ValueError(
                f"context.toml, [{name}]: {min(cancelled)!r} is a trigger and a pseudo-trigger, so it would never "
                "count; leave it in one of the lists"
            )


def scopes_in(tokens: Sequence[Token], words: Sequence[str]) -> list[_Scope]:
    """Where each context holds. `words` are those of `tokens` with typing errors mended."""
    by_context: dict[str, _Found] = defaultdict(lambda: _Found([], [], [], []))
    for start, end, name in places_in(words, _triggers()):
        context, kind = name.split()
        getattr(by_context[context], kind).append((start, end))
    opens = [i for i, token in enumerate(tokens) if i == 0 or token.sentence != tokens[i - 1].sentence]
    known = contexts()
    return [
        scope
        for name, found in by_context.items()
        if found.before or found.after
        for scope in _scopes(name, known[name], found, opens, tokens, words)
    ]


def _scopes(
    name: str, triggers: dict[str, Any], found: _Found, opens: list[int], tokens: Sequence[Token], words: Sequence[str]
) -> Iterator[_Scope]:
    before, after, stops = (list(_not_inside(found.pseudo, each)) for each in (found.before, found.after, found.stop))
    if triggers.get("ends_clause"):
        after = [(start, end) for start, end in after if end - start > 1 or _clause_ends(tokens, words, start, end)]
    if triggers.get("through_lists") and before:
        stops = [stop for stop in stops if not _in_list(tokens, words, stop[0])]
    cuts = sorted({*opens, *(start for start, _ in stops), len(words)})
    touching = triggers.get("touching")
    for start, _ in before:
        yield _Scope(start + 1, cuts[bisect_right(cuts, start)], name, "first" if touching else None)
    for start, _ in after:
        yield _Scope(cuts[bisect_right(cuts, start) - 1], start, name, "last" if touching else None)


def _not_inside(pseudo: list[tuple[int, int]], found: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    return (each for each in found if not any(first <= each[0] < last for first, last in pseudo))


def _clause_ends(tokens: Sequence[Token], words: Sequence[str], start: int, end: int) -> bool:
    """True where nothing follows that the trigger could speak of: "fever denied by mother", not "denied nausea"."""
    return end >= len(words) or tokens[end].sentence != tokens[start].sentence or words[end] in _AFTER_A_CLAUSE


def _in_list(tokens: Sequence[Token], words: Sequence[str], at: int) -> bool:
    """True at a comma that is followed in its sentence by "or" or "nor"."""
    if words[at] != ",":
        return False
    sentence = tokens[at].sentence
    for i in range(at + 1, len(words)):
        if tokens[i].sentence != sentence:
            return False
        if words[i] in ("or", "nor"):
            return True
    return False


def contexts_at(first: int, last: int, scopes: Sequence[_Scope]) -> frozenset[str]:
    """The contexts that hold for the words from `first` to before `last`."""
    return frozenset(scope.context for scope in scopes if scope.holds(first, last))
