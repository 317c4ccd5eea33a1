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

from .catalogue import entries, expand, rules, word_groups

if TYPE_CHECKING:
    from negspacy.negation import Negex
    from spacy.language import Language
    from spacy.matcher import PhraseMatcher
    from spacy.tokens import Doc, Span

_SPANS = "catalogue"
_STARTS = "catalogue starts"
_MET = "contexts met"
_AS_SPACE = dict.fromkeys(map(ord, "-–—/_*\t"), " ")
_AS_PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "\n": ";", "\r": ";"})
_CONTROL = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127), " ")


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
    matcher: PhraseMatcher
    contexts: tuple[Negex, ...]


def normalise(text: str) -> str:
    """Lower case with hyphens, slashes and control characters as spaces; the length never changes, so spans hold.

    A line break ends a sentence as a semicolon does.
    """
    plain = text.translate(_CONTROL | _AS_PLAIN | _AS_SPACE)
    lower = plain.lower()
    return lower if len(lower) == len(plain) else "".join(c.lower() if len(c.lower()) == 1 else c for c in plain)


@cache
def _context_class() -> type[Negex]:
    """negspacy's component with three changes: two for speed (theirs walks every span of the text once per boundary,
    also where the text has no trigger of the context), one for commas inside a list."""
    from negspacy.negation import Negex

    class Context(Negex):
        through_lists = False

        def process_negations(self, doc: Doc) -> tuple[list[Any], list[Any], list[Any]]:
            """The triggers met; with `through_lists`, a comma of a list that "or" closes is no end."""
            preceding, following, ends = super().process_negations(doc)
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


def _in_list(doc: Doc, at: int) -> bool:
    """True at a comma that is followed in its sentence by "or" or "nor"."""
    if doc[at].text != ",":
        return False
    words = (token.text for token in doc[at + 1 : doc[at].sent.end])
    return any(word in ("or", "nor") for word in words)


@cache
def _reader() -> _Reader:
    """The tokeniser, the matcher of the whole vocabulary and the context components. Built once, in about 2 s."""
    import spacy
    from spacy.matcher import PhraseMatcher

    nlp = spacy.blank("en")
    tokenizer: Any = nlp.tokenizer  # typed in spaCy as a plain callable
    tokenizer.rules = {}  # spaCy's special cases glue "v." in "n/v." together
    nlp.add_pipe("sentencizer", config={"punct_chars": [".", "!", "?", ";"]})
    matcher = PhraseMatcher(nlp.vocab)
    for name, phrases in vocabulary().items():
        matcher.add(name, [_tokens(phrase, nlp) for phrase in phrases])
    contexts = tuple(_context(nlp, name, triggers) for name, triggers in rules("context").items())
    return _Reader(nlp, matcher, contexts)


def _context(nlp: Language, name: str, triggers: dict[str, Any]) -> Negex:
    component = _context_class()(nlp, name, termset(triggers), extension_name=f"esi_{name}", span_keys=[_SPANS])
    component.through_lists = triggers.get("through_lists", False)  # pyright: ignore[reportAttributeAccessIssue]
    return component


def _tokens(phrase: str, nlp: Language) -> Doc:
    """The phrase as the tokeniser would split it. It leaves plain words and numbers whole: they need no tokenising."""
    from spacy.tokens import Doc

    words = phrase.split()
    plain = phrase.isascii() and all(word.isalpha() or word.isdigit() for word in words)
    return Doc(nlp.vocab, words=words) if plain else nlp.tokenizer(phrase)


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


def find_mentions(text: str) -> list[Mention]:
    """Every mention of the vocabulary in `text`, in order, with the names of the contexts that hold there."""
    reader = _reader()
    doc = reader.nlp(normalise(text))
    met = sorted(reader.matcher(doc, as_spans=True), key=lambda span: (span.start, span.end))
    spans = [met[i] for i in keep_longer([(span.start, span.end, span.label_) for span in met])]
    doc.user_data |= {_SPANS: spans, _STARTS: [span.start for span in spans], _MET: []}
    for context in reader.contexts:
        context(doc)
    return _mentions(doc)


def _mentions(doc: Doc) -> list[Mention]:
    sentence_of = [index for index, sentence in enumerate(doc.sents) for _ in range(len(sentence))]
    met = [(extension, extension.removeprefix("esi_")) for extension in doc.user_data[_MET]]
    found: list[Mention] = []
    for span in doc.user_data[_SPANS]:
        marks = span._
        flags = frozenset(flag for extension, flag in met if marks.get(extension))
        place = (span.label_, span.start_char, span.end_char, span.start, span.end)
        found.append(Mention(*place, sentence_of[span.start], flags))
    return found


def keep_longer(places: list[tuple[int, int, str]]) -> list[int]:
    """Which of the places (start, end, name) count: not words inside an idiom, and not words that overlap a phrase
    which stands instead of them (`instead_of`)."""
    known = entries()
    longer = [(start, end, known[name]) for start, end, name in places if name in known]
    idioms = [(start, end) for start, end, entry in longer if entry.kind == "idiom"]
    hiding = [(start, end, entry.instead_of) for start, end, entry in longer if entry.instead_of]
    return [
        i
        for i, (start, end, name) in enumerate(places)
        if not any(first <= start and end <= last for first, last in idioms)
        and not any(first < end and start < last and name in hidden for first, last, hidden in hiding)
    ]
