"""Who the patient is and how they came: age, sex, arrival. The notations are in rules/notations.toml."""

import re
from functools import cache

from ..case import Arrival, Sex
from ..catalogue import rules
from ..findings import Evidence
from .measures import with_decimal_points

_UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_NUMBERS = {word: n for n, word in enumerate(f"{_UNITS} seventeen eighteen nineteen".split())} | {
    word: 10 * n for n, word in enumerate(_TENS.split(), 2)
}
_SPOKEN = rf"(?:{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})"
_NUMBER = rf"(?P<n>\d{{1,3}}(?:\.\d)?|\b{_SPOKEN}(?:[\s-]{_SPOKEN})?)"
_DAYS_PER_MONTH = 30.4375
_OLDEST_MONTHS = 125 * 12
_OPENING = 250
"""Characters in which nearly every note gives the age; only where it does not is the rest searched."""

# "F" and "M" are a sex beside an age or before a comma; elsewhere they may be anything ("temp 101.2 F").
_SEX_PATTERNS = (
    re.compile(r"(?:(?<![\d.,])\d{1,2}\s?|\d\s?(?:y/?o|yr|mo|m/o|wk)\s*)(?:(?P<f>F)|(?P<m>M))\b"),
    re.compile(r"\b(?:(?P<f>woman|female|girl|lady|F(?=[,\s.]))|(?P<m>man|male|boy|gentleman|fella|M(?=[,\s.])))\b"),
)
_PRONOUNS = re.compile(r"\b(?:(?P<f>she|her|hers|herself)|(?P<m>he|his|him|himself))\b", re.IGNORECASE)
# Who speaks, drives or worries is not the patient: "his wife", "daughter says she found him".
_RELATIVES = re.compile(
    r"\b(?:mother|father|mom|mum|dad|wife|husband|daughter|son|sister|brother|aunt|uncle|niece|nephew|"
    r"grand(?:mother|father|ma|pa|daughter|son)|girlfriend|boyfriend|gf|bf|nurse|aide)\b"
    r"(?:(?: also)? (?:says?|said|states?|thinks?|reports?|noticed|found) (?:that )?(?:she|he)"
    r"(?= (?:found|saw|heard|thinks|noticed|gave)))?",
    re.IGNORECASE,
)
_ONLY_WOMEN = re.compile(r"\b(?:pregnant|G\d+\s?P\d+|LMP|postpartum|her period)\b")


@cache
def _age_patterns() -> tuple[tuple[re.Pattern[str], ...], ...]:
    """Groups of patterns, the plainest notation first; within a group the earliest match in the text counts."""
    age = rules("notations")["age"]
    named = {f"{{{name}}}": age[name] for name in ("years", "person", "units", "not_since", "small")}
    parts = {"{n}": _NUMBER, **named}
    return tuple(
        tuple(re.compile(_filled(pattern, parts), re.IGNORECASE) for pattern in group)
        for group in (age["titled"], age["plain"], *([pattern] for pattern in (*age["other"], *age["late"])))
    )


def _filled(pattern: str, parts: dict[str, str]) -> str:
    for name, part in parts.items():
        pattern = pattern.replace(name, part)
    return pattern


def read_age_months(text: str) -> tuple[float, Evidence] | None:
    """The patient's age in months with its span; null where no age is given. Words ("newborn") are a last resort."""
    pointed = with_decimal_points(text)  # "temp 101,2 F" is no woman of two years
    for part in (pointed[:_OPENING], pointed):
        for group in _age_patterns():
            found = [known for pattern in group for match in pattern.finditer(part) if (known := _age(match))]
            if found:
                return min(found, key=lambda known: known[1].start)
    for word, months in rules("notations")["age"]["words"].items():
        match = re.search(rf"\b{word}\b", text, re.IGNORECASE)
        if match:
            return float(months), Evidence(match.start(), match.end(), match.group())
    return None


def _age(match: re.Match[str]) -> tuple[float, Evidence] | None:
    months = _months(match["n"], match["unit"] or "years")
    if months is None or months > _OLDEST_MONTHS:
        return None
    return months, Evidence(match.start(), match.end(), match.group())


def _months(number: str, unit: str) -> float | None:
    value = _number(number)
    if value is None:
        return None
    first = unit.lower()[:1]
    if first == "m":
        return value
    if first == "w":
        return value * 7 / _DAYS_PER_MONTH
    return value / _DAYS_PER_MONTH if first == "d" else value * 12


def _number(text: str) -> float | None:
    """`"19"`, `"nineteen"` or `"fifty-three"`; null for what is no number, such as "fifty thirty"."""
    if text[0].isdigit():
        return float(text)
    values = [_NUMBERS.get(part, -1) for part in re.split(r"[\s-]", text.lower())]
    if len(values) == 2 and not (values[0] >= 20 and 1 <= values[1] <= 9):
        return None
    return float(sum(values)) if min(values) >= 0 else None


def read_sex(text: str) -> Sex | None:
    """F or M by the first word that says so; where none does, by the pronouns, relatives and informants left out."""
    found = [match for pattern in _SEX_PATTERNS if (match := pattern.search(text))]
    if found:
        return _sex(min(found, key=lambda match: match.start()))
    pronouns: list[Sex] = [_sex(match) for match in _PRONOUNS.finditer(_RELATIVES.sub(" ", text))]
    if pronouns:
        women = pronouns.count("F")
        if 2 * women == len(pronouns):
            return pronouns[0]
        return "F" if 2 * women > len(pronouns) else "M"
    return "F" if _ONLY_WOMEN.search(text) else None


def _sex(match: re.Match[str]) -> Sex:
    return "F" if match.lastgroup == "f" else "M"


@cache
def _arrival_pattern() -> re.Pattern[str]:
    ways = {way: "|".join(map(re.escape, words)) for way, words in rules("notations")["arrival"].items()}
    named = (f"(?P<{way.replace('-', '_')}>{words})" for way, words in ways.items())
    return re.compile(rf"\b(?:{'|'.join(named)})\b", re.IGNORECASE)


_ARRIVALS: dict[str | None, Arrival] = {"helicopter": "helicopter", "ambulance": "ambulance", "walk_in": "walk-in"}


def read_arrival(text: str) -> Arrival | None:
    """How the patient came, by the first words that say so."""
    match = _arrival_pattern().search(text)
    return _ARRIVALS[match.lastgroup] if match else None
