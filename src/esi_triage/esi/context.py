"""The words of the catalogue found in a narrative, each with its context: negated, past, family, hypothetical ...

Context is decided by negspacy, the kept implementation of NegEx. ConText (Harkema 2009) is NegEx with other trigger
lists, and so is this: one negspacy component a context, its triggers in rules/context.toml. medspaCy, which does the
same in one component, was weighed and left: on Python 3.11 it holds spaCy below 3.8 and numpy below 2.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Generator
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
    """negspacy's component with two changes, for speed: theirs walks every span of the text once per boundary, also
    where the text has no trigger of the context."""
    from negspacy.negation import Negex

    class Context(Negex):
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
    for name, phrases in _vocabulary().items():
        matcher.add(name, [_tokens(phrase, nlp) for phrase in phrases])
    contexts = tuple(
        _context_class()(nlp, name, _termset(triggers), extension_name=f"esi_{name}", span_keys=[_SPANS])
        for name, triggers in rules("context").items()
    )
    return _Reader(nlp, matcher, contexts)


def _tokens(phrase: str, nlp: Language) -> Doc:
    """The phrase as the tokeniser would split it. It leaves words of plain letters whole: they need no tokenising."""
    from spacy.tokens import Doc

    words = phrase.split()
    plain = phrase.isascii() and all(word.isalpha() for word in words)
    return Doc(nlp.vocab, words=words) if plain else nlp.tokenizer(phrase)


def _vocabulary() -> dict[str, list[str]]:
    """Entry names and word groups with their phrases, as `normalise` leaves them."""
    said = {name: entry.say for name, entry in entries().items() if entry.say}
    said |= {f"@{group}": phrases for group, phrases in word_groups().items()}
    return {name: sorted({" ".join(normalise(phrase).split()) for phrase in said[name]}) for name in said}


def _termset(triggers: dict[str, list[str]]) -> dict[str, list[str]]:
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
    spans = _keep_longer(reader.matcher(doc, as_spans=True))
    doc.user_data |= {_SPANS: spans, _STARTS: [span.start for span in spans], _MET: []}
    for context in reader.contexts:
        context(doc)
    return _mentions(doc)


def _mentions(doc: Doc) -> list[Mention]:
    sentence_of = [index for index, sentence in enumerate(doc.sents) for _ in range(len(sentence))]
    names = [(extension, extension.removeprefix("esi_")) for extension in doc.user_data[_MET]]
    return [
        Mention(
            span.label_,
            span.start_char,
            span.end_char,
            span.start,
            span.end,
            sentence_of[span.start],
            frozenset(flag for extension, flag in names if span._.get(extension)),
        )
        for span in doc.user_data[_SPANS]
    ]


def _keep_longer(spans: list[Span]) -> list[Span]:
    """Drop words inside an idiom, and words that overlap a phrase which stands instead of them (`instead_of`)."""
    known = entries()
    named = [(span, known[span.label_]) for span in spans if span.label_ in known]
    idioms = [span for span, entry in named if entry.kind == "idiom"]
    hiding = [(span, entry.instead_of) for span, entry in named if entry.instead_of]
    return [
        span
        for span in sorted(spans, key=lambda span: (span.start, span.end))
        if span not in idioms
        and not any(_inside(span, idiom) for idiom in idioms)
        and not any(span.label_ in hidden and _overlap(span, longer) for longer, hidden in hiding)
    ]


def _inside(span: Span, longer: Span) -> bool:
    return longer.start <= span.start and span.end <= longer.end and len(span) < len(longer)


def _overlap(span: Span, other: Span) -> bool:
    return other.start < span.end and span.start < other.end
