"""A narrative as words: lower case, plain characters, typing errors mended, sentences told apart."""

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from ..catalogue import rules

_AS_SPACE = dict.fromkeys(map(ord, "-–—/_*\t•·\u200b\u200c\u200d\u2060\ufeff"), " ")
_AS_PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "\n": ";", "\r": ";"})
_CONTROL = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127), " ")
_TOKEN = re.compile(
    r"\{\d+\.\.\d+\}|~[a-z]+|\d+(?:\.\d+)*|(?:[a-z]\.){2,}|'s\b|[^\W\d_]+(?:'(?!s\b)[^\W\d_]+)?\d*|[^\w\s]|\w"
)
_ENDS = frozenset(".!?;")
# "NO FEVER / SORE THROAT": a bar between blanks ends a sentence, so that "no" does not reach what follows.
_BAR = re.compile(r"(?<=\s)/(?=\s)")
# "chest pain (-)", "CP- SOB- fever+": a minus for "no". One such word alone may as well be "CP- since noon".
_MINUS_IN_BRACKETS = re.compile(r"\(\s?[-–−]\s?\)")
_SIGNED_WORDS = re.compile(r"(?<![\w-])(?:[A-Za-z/]{1,12}[+−-](?:[\s,;/]+|\.?$)){2,}", re.MULTILINE)
_CLOSES = frozenset(".!?;)\"'")
_ABBREVIATED = frozenset(("dr", "mr", "mrs", "ms", "vs", "approx", "st"))
_LITTLE = frozenset(
    ("'s", "a", "an", "the", "his", "her", "my", "their", "our", "your", "its", "is", "are", "very", "really", "quite")
)
# With an article these are nouns of their own: a cold is no cold hand, a fit patient has no fit.
_NOUNS = frozenset(("bends", "cold", "fit", "limp", "pill", "runs", "shakes"))
# A verb or a noun of its own, not the plural of a word of the vocabulary: who limps is not limp, bloods are a test.
_KEPT = frozenset(("bloods", "does", "limps"))
# "cough no fever She lives alone": a sentence opens though no full stop is set.
_OPENS = re.compile(r"(?<=[a-z0-9%] )(?:He|She|His|Her|They|Their|There|Denies|Reports) (?=[a-z])")


class Token(NamedTuple):
    """One word, number or sign; `start` and `end` are characters of the narrative, `sentence` counts from 0."""

    text: str
    start: int
    end: int
    sentence: int


def normalise(text: str) -> str:
    """Lower case with hyphens, slashes and control characters as spaces; the length never changes, so spans hold.

    A line break, or a slash between spaces, ends a sentence as a semicolon does.
    """
    text = _MINUS_IN_BRACKETS.sub(lambda found: "⊖".center(len(found[0])), text)
    text = _SIGNED_WORDS.sub(lambda found: re.sub("[−-]", "⊖", found[0]), text)
    plain = _BAR.sub(";", text).translate(_CONTROL | _AS_PLAIN | _AS_SPACE)
    lower = plain.lower()
    return lower if len(lower) == len(plain) else "".join(c.lower() if len(c.lower()) == 1 else c for c in plain)


def words_of(phrase: str) -> list[str]:
    """The words of a phrase that `normalise` has been over, split as a narrative is."""
    return _TOKEN.findall(phrase)


def tokens_of(narrative: str) -> list[Token]:
    """The words of a narrative with their sentences, as they were typed."""
    text = normalise(narrative)
    opens = {found.start() for found in _OPENS.finditer(narrative)}
    tokens: list[Token] = []
    sentence, ended = 0, False
    for found in _TOKEN.finditer(text):
        word = found.group()
        if (ended and word not in _CLOSES) or found.start() in opens:
            sentence += 1 if tokens else 0
            ended = False
        tokens.append(Token(word, *found.span(), sentence))
        ended = ended or _ends_sentence(word, text, found.end(), tokens)
    return tokens


def _ends_sentence(word: str, text: str, end: int, tokens: list[Token]) -> bool:
    if word not in _ENDS:
        return False
    if word == "?":
        return not text[end : end + 1].isalpha()  # "?appendicitis" is a suspicion
    return not (word == "." and len(tokens) > 1 and tokens[-2].text in _ABBREVIATED)


def gist(words: Sequence[str]) -> list[tuple[int, str]]:
    """What phrases are compared by: words without articles and the like, plurals as singulars, each with its place.

    "Hit her head", "hits his head" and "hit the head" are one phrase of the vocabulary.
    """
    return [
        (i, singular(word))
        for i, word in enumerate(words)
        if word not in _LITTLE or (i + 1 < len(words) and not _is_noun(words[i + 1]))
    ]


def _is_noun(word: str) -> bool:
    """True where the article before it says nothing more."""
    return word[0].isalnum() and word not in _NOUNS


@cache
def singular(word: str) -> str:
    """The word without the s of a plural or of a verb; words of three letters and words in -ss, -us, -is are left.

    "cant" and "couldn't" are "cannot" (rules/spellings.toml, [same]).
    """
    word = rules("spellings")["same"].get(word, word)
    return word[:-1] if len(word) > 3 and word[-1] == "s" and word[-2] not in "sui'" and word not in _KEPT else word
