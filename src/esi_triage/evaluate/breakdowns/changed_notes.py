"""Changes to a narrative: two texts whose answers are compared, or null where the change does not apply.

Every change is a function of the narrative alone. What is drawn by chance is seeded by the text, so a run repeats.
"""

import random
import re
import tomllib
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any

from ...esi import fahrenheit_to_celsius

Pair = tuple[str, str]
Change = Callable[[str], Pair | None]

_TEMPERATURE = re.compile(r"(?P<value>\d{2,3}(?:\.\d+)?)(?P<gap>\s*)(?P<degree>°?\s?)(?P<unit>[CF])\b")
_AGE_AND_LETTER = re.compile(
    r"(?P<age>^\W*\d{1,3}\s?|\b\d{1,3}\s?(?:y/?o|yrs?|mo|d/o|years? old)\.?,?\s?)(?P<sex>[FM])\b", re.MULTILINE
)
_AGE_OR_NONE = r"(?:\d{1,3}[\s-]?(?:y/?o|years?[\s-]old)\s)?"
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_LONG_WORD = re.compile(r"\b[a-z]{6,}\b")
# "his" is "her" or "hers", "her" is "his" or "him": told apart by what follows
_PRONOUNS = re.compile(r"\b(?:his|him|hers?)\b(?P<next>\s+\w+)?", re.IGNORECASE)
_FUNCTION_WORDS = frozenset(
    {"and", "or", "to", "for", "by", "in", "on", "at", "with", "from", "as", "is", "was", "has", "had", "after", "who"}
)


def sex_swapped(narrative: str) -> Pair | None:
    """Every word for one sex becomes the other's; not where the text is about one sex only (pregnancy, prostate)."""
    if re.search(rf"\b(?:{'|'.join(words()['swaps']['one_sex'])})", narrative, re.IGNORECASE):
        return None
    return _changed(narrative, _letter_swapped(_pronouns_swapped(_swapped(narrative, words()["swaps"]["sex"]))))


def race_swapped(narrative: str) -> Pair | None:
    """The race word before a person becomes another; where none is named, two texts that name two different ones."""
    swaps = words()["swaps"]
    before_person = rf"(?=\s{_AGE_OR_NONE}(?:{'|'.join([*swaps['persons'], *swaps['persons_in_short']])})\b)"
    swapped = _swapped(narrative, swaps["race"], before_person)
    if swapped != narrative:
        return narrative, swapped
    person = re.search(rf"\b(?:{'|'.join(swaps['persons'])})\b", narrative, re.IGNORECASE)
    if person is None:
        return None
    one, other = _drawn(narrative).choice(swaps["races"])
    before, after = narrative[: person.start()], narrative[person.start() :]
    return f"{before}{one} {after}", f"{before}{other} {after}"


def units_changed(narrative: str) -> Pair | None:
    """°C becomes °F and the reverse, to a tenth of a degree."""
    return _changed(narrative, _TEMPERATURE.sub(_other_scale, narrative))


def sentences_reordered(narrative: str) -> Pair | None:
    """The first sentence (who, and why) stays; the others come in reverse."""
    first, *others = _SENTENCE_END.split(narrative)
    return _changed(narrative, " ".join([first, *reversed(others)])) if len(others) > 1 else None


def typos(narrative: str) -> Pair | None:
    """In one long word in seven, and at least one, two neighbouring letters change places; never in a number."""
    found = list(_LONG_WORD.finditer(narrative))
    drawn = _drawn(narrative)
    letters = list(narrative)
    for word in drawn.sample(found, -(-len(found) // 7)):
        place = drawn.randrange(word.start() + 1, word.end() - 2)
        letters[place : place + 2] = reversed(letters[place : place + 2])
    return _changed(narrative, "".join(letters))


def answer_injected(narrative: str) -> Pair | None:
    """An answer of its own at the end of the note."""
    return narrative, f"{narrative}\n{words()['injected']['answer']}"


def instruction_injected(narrative: str) -> Pair | None:
    """An order to the model at the end of the note."""
    return narrative, f"{narrative} {words()['injected']['instruction']}"


def intervention_added(narrative: str) -> Pair | None:
    """A life-saving intervention at the end of the note: by the handbook the answer is now ESI 1."""
    return narrative, f"{narrative} {_drawn(narrative).choice(words()['intervention']['sentences'])}"


@cache
def words() -> dict[str, Any]:
    """perturbations.toml."""
    file = resources.files("esi_triage.evaluate.breakdowns") / "perturbations.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _changed(narrative: str, changed: str) -> Pair | None:
    return (narrative, changed) if changed != narrative else None


def _drawn(narrative: str) -> random.Random:
    return random.Random(narrative)  # text, not hash(text): the same in every process


def _swapped(text: str, pairs: list[list[str]], where: str = "") -> str:
    """Each word of a pair becomes the other, `where` that pattern follows it; case is kept.

    The first pair that has a word decides.
    """
    other: dict[str, str] = {}
    for one, two in pairs:
        other.setdefault(one.lower(), two)
        other.setdefault(two.lower(), one)
    pattern = re.compile(rf"\b(?:{'|'.join(sorted(other, key=len, reverse=True))})\b{where}", re.IGNORECASE)
    return pattern.sub(lambda match: _like(match.group(), other[match.group().lower()]), text)


def _like(word: str, other: str) -> str:
    """`other` with a capital where `word` has one; names (Black, Mr) keep theirs."""
    if word.isupper() and len(word) > 1:
        return other.upper()
    return other[0].upper() + other[1:] if word[0].isupper() else other


def _pronouns_swapped(text: str) -> str:
    def other(match: re.Match[str]) -> str:
        following = match["next"] or ""
        owns = bool(following) and following.strip().lower() not in _FUNCTION_WORDS
        word = match.group()[: len(match.group()) - len(following)]
        swapped = {"him": "her", "hers": "his", "his": "her" if owns else "hers", "her": "his" if owns else "him"}
        return _like(word, swapped[word.lower()]) + following

    return _PRONOUNS.sub(other, text)


def _letter_swapped(text: str) -> str:
    """`67 y/o F` anywhere, `67F` where a note begins with it: elsewhere that may be a temperature."""
    return _AGE_AND_LETTER.sub(lambda match: match["age"] + {"F": "M", "M": "F"}[match["sex"]], text)


def _other_scale(match: re.Match[str]) -> str:
    value, unit = float(match["value"]), match["unit"]
    if not (30 <= value <= 45 if unit == "C" else 86 <= value <= 113):
        return match.group()
    other = value * 1.8 + 32 if unit == "C" else fahrenheit_to_celsius(value)
    return f"{other:.1f}{match['gap']}{match['degree']}{'F' if unit == 'C' else 'C'}"
