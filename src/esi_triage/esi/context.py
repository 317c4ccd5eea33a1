"""The words of the catalogue found in a narrative, each with its context: negated, past, family, hypothetical ...

Context is decided by negspacy, the kept implementation of NegEx. ConText (Harkema 2009) is NegEx with other trigger
lists, and so is this: one negspacy component a context, its triggers in rules/context.toml. medspaCy, which does the
same in one component, was weighed and left: on Python 3.11 it holds spaCy below 3.8 and numpy below 2.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Generator, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from .catalogue import entries, rules
from .slips import mended
from .vocabulary import Index, index_of, normalise, places_in, termset

if TYPE_CHECKING:
    from negspacy.negation import Negex
    from spacy.language import Language
    from spacy.tokens import Doc, Span

_SPANS = "catalogue"
_STARTS = "catalogue starts"
_MET = "contexts met"
# What parts two words without a space: a line break and the points and brackets beside it, a full stop, other signs.
_GLUE = (
    ";",
    r"[^\w\s;](?=[^\w\s]*;)",
    r"(?<=;)[^\w\s;]",
    r"(?<=[a-z]{3})\.(?=[a-z]{3})",
    r"(?<=[a-z])[+&=|>?!(](?=[a-z])",
)
_TRIGGER_KINDS = ("pseudo", "Preceding", "Following", "Termination")  # as negspacy calls them
_OPENS = re.compile(r"(?<=[a-z0-9%] )(?:He|She|His|Her|They|Their|There|Denies|Reports) (?=[a-z])")
_AFTER_A_CLAUSE = frozenset([*".,;:!?)&", "and", "but", "by", "at", "on", "in", "per", "today", "now", "so", "then"])


class Mention(NamedTuple):
    """One place where the text names an entry, or a word group of words.toml (its name starts with `@`)."""

    name: str
    start: int  # characters
    end: int
    first: int  # tokens, half open
    last: int
    sentence: int
    flags: frozenset[str]


class _Reader(NamedTuple):
    nlp: Language
    phrases: Index
    contexts: tuple[Negex, ...]


@cache
def _context_class() -> type[Negex]:
    """negspacy's component with four changes: two for speed (theirs walks every span of the text once per boundary,
    also where the text has no trigger of the context), one for commas inside a list, one for what follows a
    pseudo-trigger."""
    from negspacy.negation import Negex

    class Context(Negex):
        through_lists = False
        ends_clause = False

        def process_negations(self, doc: Doc) -> tuple[list[Any], list[Any], list[Any]]:
            """The triggers met, save those inside a pseudo-trigger; theirs also drops one that follows it at once
            ("no past history no fever"). With `through_lists`, a comma of a list that "or" closes is no end."""
            kinds: dict[str, list[tuple[int, int, int]]] = {name: [] for name in _TRIGGER_KINDS}
            for found in self.matcher(doc):
                kinds[self.nlp.vocab.strings[found[0]]].append(found)
            pseudo, preceding, following, ends = kinds.values()
            if pseudo:
                preceding, following, ends = (
                    [found for found in each if not any(p[1] <= found[1] < p[2] for p in pseudo)]
                    for each in (preceding, following, ends)
                )
            if self.ends_clause:
                following = [found for found in following if _clause_ends(doc, found[2])]
            if self.through_lists and preceding:
                ends = [end for end in ends if not _in_list(doc, end[1])]
            return preceding, following, ends

        def negex(self, doc: Doc) -> Doc:
            """Flag the spans and note the context as met; without a trigger there is nothing to flag."""
            preceding, following, _ = self.process_negations(doc)
            if not preceding and not following:
                return doc
            doc.user_data[_MET].append(self.extension_name)
            return super().negex(doc)

        @staticmethod
        def yield_spans_within_boundary(
            doc: Doc, boundary: tuple[int, int], span_keys: set[str]
        ) -> Generator[Span, None, None]:
            """Spans that start and end within the boundary, by bisection of their starts."""
            spans, starts = doc.user_data[_SPANS], doc.user_data[_STARTS]
            first, last = bisect_left(starts, boundary[0]), bisect_left(starts, boundary[1])
            yield from (span for span in spans[first:last] if span.end <= boundary[1])

    return Context


def _clause_ends(doc: Doc, at: int) -> bool:
    """True where nothing follows that the trigger could speak of: "fever denied by mother", not "denied nausea"."""
    return at >= len(doc) or bool(doc[at].is_sent_start) or doc[at].text in _AFTER_A_CLAUSE


def _in_list(doc: Doc, at: int) -> bool:
    """True at a comma that is followed in its sentence by "or" or "nor"."""
    if doc[at].text != ",":
        return False
    words = (token.text for token in doc[at + 1 : doc[at].sent.end])
    return any(word in ("or", "nor") for word in words)


@cache
def _reader() -> _Reader:
    """The tokeniser, the index of the whole vocabulary and the context components. Built once, in about 2 s."""
    import spacy
    from spacy.util import compile_infix_regex

    nlp = spacy.blank("en")
    tokenizer: Any = nlp.tokenizer  # typed in spaCy as a plain callable
    tokenizer.rules = {}  # spaCy's special cases glue "v." in "n/v." together
    tokenizer.url_match = None  # "cough.fever" is no address
    tokenizer.infix_finditer = compile_infix_regex([*(nlp.Defaults.infixes or ()), *_GLUE]).finditer
    nlp.add_pipe("sentencizer", config={"punct_chars": [".", "!", "?", ";"]})
    contexts = tuple(_context(nlp, name, triggers) for name, triggers in _contexts())
    return _Reader(nlp, index_of(lambda phrase: _tokens(phrase, nlp)), contexts)


def _contexts() -> Iterator[tuple[str, dict[str, Any]]]:
    """The contexts of rules/context.toml; one with `as_list` twice, the second time not ended by a comma."""
    for name, triggers in rules("context").items():
        yield name, triggers
        if triggers.get("as_list"):
            yield f"{name}_list", triggers | {"stop": [stop for stop in triggers["stop"] if stop != ","]}


def _context(nlp: Language, name: str, triggers: dict[str, Any]) -> Negex:
    component = _context_class()(nlp, name, termset(triggers), extension_name=f"esi_{name}", span_keys=[_SPANS])
    component.through_lists = triggers.get("through_lists", False)  # pyright: ignore[reportAttributeAccessIssue]
    component.ends_clause = triggers.get("ends_clause", False)  # pyright: ignore[reportAttributeAccessIssue]
    return component


def _tokens(phrase: str, nlp: Language) -> list[str]:
    """The phrase as the tokeniser would split it. It leaves plain words and numbers whole: they need no tokenising."""
    words = phrase.split()
    plain = phrase.isascii() and all(word.isalpha() or word.isdigit() for word in words)
    return words if plain else [token.text for token in nlp.tokenizer(phrase)]


def find_mentions(text: str) -> list[Mention]:
    """Every mention of the vocabulary in `text`, in order, with the names of the contexts that hold there."""
    from spacy.tokens import Span

    reader = _reader()
    typed = reader.nlp.make_doc(normalise(text))
    doc = reader.nlp(_opened(_meant(typed), typed, text))
    places = places_in([token.text for token in doc], reader.phrases)
    spans = [Span(doc, start, end, name) for start, end, name in map(places.__getitem__, keep_longer(places))]
    doc.user_data |= {_SPANS: spans, _STARTS: [span.start for span in spans], _MET: []}
    for context in reader.contexts:
        context(doc)
    return _mentions(doc, typed)


def _meant(typed: Doc) -> Doc:
    """The same tokens with the slips of the keys mended."""
    from spacy.tokens import Doc

    words = [token.text for token in typed]
    meant = list(map(mended, words))
    if meant == words:
        return typed
    return Doc(typed.vocab, words=meant, spaces=[bool(token.whitespace_) for token in typed])


def _opened(doc: Doc, typed: Doc, text: str) -> Doc:
    """Mark where a sentence opens though no full stop is set: "cough no fever She lives alone"."""
    opens = {found.start() for found in _OPENS.finditer(text)}
    if opens:
        for token in typed:
            if token.idx in opens:
                doc[token.i].is_sent_start = True
    return doc


def _mentions(doc: Doc, typed: Doc) -> list[Mention]:
    """`doc` was read; the characters are those of the text as it was `typed`, token by token the same."""
    sentence_of = [index for index, sentence in enumerate(doc.sents) for _ in range(len(sentence))]
    met = [(extension, extension.removeprefix("esi_")) for extension in doc.user_data[_MET]]
    found: list[Mention] = []
    for span in doc.user_data[_SPANS]:
        marks = span._
        flags = frozenset(flag for extension, flag in met if marks.get(extension))
        place = (span.label_, *_characters(span, typed), span.start, span.end)
        found.append(Mention(*place, sentence_of[span.start], flags))
    return found


def _characters(span: Span, typed: Doc) -> tuple[int, int]:
    if span.doc is typed:
        return span.start_char, span.end_char
    last = typed[span.end - 1]
    return typed[span.start].idx, last.idx + len(last)


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
