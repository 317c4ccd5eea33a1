"""How the open corpus is told: six ways, from one line without vital signs to dictated prose with slips (styles.toml).

Everything that a note says is in the `Story`; a style chooses words, order and short forms, and invents nothing.
"""

import random
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from ...esi import Arrival, Sex, Vitals
from ..narrative import age_text

STYLES = ("prose", "telegraphic", "handoff", "quote", "dictated", "brief")


@dataclass(frozen=True, slots=True)
class Story:
    """What is to be told. `clue` and `said` hold now, `asides` are denials, past, family and social remarks."""

    complaint: str
    age_years: float
    sex: Sex
    arrival: Arrival
    vitals: str | None
    clue: str | None = None
    said: str | None = None
    history: str | None = None
    asides: tuple[str, ...] = ()


@cache
def _words() -> dict[str, Any]:
    file = resources.files("esi_triage.data.corpus") / "styles.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def worded(text: str, style: str, british: bool, rng: random.Random) -> str:
    """A phrase as this style writes it: one side of the Atlantic, short forms (telegraphic), slips (dictated)."""
    if british:
        text = _replaced(text, "british")
    if style == "telegraphic":
        return _replaced(text, "short")
    return _slipped(text, rng) if style == "dictated" else text


def tell(story: Story, style: str, rng: random.Random) -> str:
    """The note in one of `STYLES`. Every text of the story stands in it as given, but for a capital letter."""
    words, person = _words()[style], _person(story, rng)
    parts = {"opening": rng.choice(words["opening"]).format_map(person)}
    for name in ("said", "clue", "history", "vitals"):
        text = getattr(story, name)
        if name == "vitals" and text and not any(letter.isdigit() for letter in text):
            parts[name] = text if style == "dictated" else f"{_capital(text)}."
        elif text:
            parts[name] = rng.choice(words[name]).format_map(person | {name: text, name.capitalize(): _capital(text)})
    asides = [f"{_capital(aside)}." if style != "dictated" else aside for aside in story.asides]
    return _joined(parts, asides, style, rng)


def _joined(parts: dict[str, str], asides: list[str], style: str, rng: random.Random) -> str:
    start = ["opening", "said"]
    if style == "quote" or (style in ("prose", "telegraphic") and rng.random() < 0.15):
        start.reverse()
    middle = [parts[name] for name in ("clue", "history") if name in parts] + asides
    if rng.random() < 0.3:
        rng.shuffle(middle)
    last = ["vitals"]
    if style != "dictated" and rng.random() < 0.15:
        start, last = ["opening", "vitals", "said"], []
    told = [parts[name] for name in start if name in parts] + middle + [parts[name] for name in last if name in parts]
    text = (" " if style != "dictated" else rng.choice((" ", ", "))).join(told)
    return text if text[-1] in '.;"' else f"{text}."


def signs_text(vitals: Vitals, rng: random.Random) -> str:
    """The recorded signs in one of many notations, °C or °F; what was not recorded is left out."""
    v, words = vitals, _words()["signs"]
    unit = rng.choice(("celsius", "fahrenheit"))
    told: list[str] = []
    for name, value in (
        ("bp", None if v.sbp is None or v.dbp is None else f"{v.sbp:.0f}/{v.dbp:.0f}"),
        ("hr", v.heart_rate),
        ("rr", v.resp_rate),
        ("spo2", v.spo2),
        (unit, v.temperature_c),
    ):
        if value is None:
            continue
        if name == "fahrenheit":
            value = f"{v.temperature_c * 1.8 + 32:.1f}" if v.temperature_c is not None else ""
        shown = value if isinstance(value, str) else f"{value:.{1 if name == 'celsius' else 0}f}"
        told.append(rng.choice(words[name]).format(shown))
    if rng.random() < 0.5:
        rng.shuffle(told)
    if v.pain is not None:
        told.append(rng.choice(words["pain"]).format(f"{v.pain:g}"))
    return ", ".join(told)


def normal_text(rng: random.Random) -> str:
    """Words for vital signs that are all within limits."""
    words = _words()["signs"]
    return rng.choice(words["normal"] if rng.random() < 0.8 else words["normal_no_fever"])


def _person(story: Story, rng: random.Random) -> dict[str, str]:
    age, female = story.age_years, story.sex == "F"
    who = _who(age, female)
    long = f"{age_text(age)} {who}"
    compact = age_text(age).replace("-year-old", rng.choice(("", " y/o ", "yo "))).replace("-month-old", " mo ")
    speaker = rng.choice(("the mother", "the father", "a parent")) if age < 5 else ("she" if female else "he")
    return {
        "person": long,
        "Person": _capital(long),
        "a": _article(long),
        "A": _article(long).capitalize(),
        "age": age_text(age),
        "number": age_text(age).removesuffix("-year-old").removesuffix("-old").replace("-", " "),
        "short": f"{compact.replace('-day-old', ' d/o ')}{story.sex}",
        "sex": story.sex,
        "male": "female" if female else "male",
        "way": "by ambulance" if story.arrival == "ambulance" else rng.choice(("on foot", "by car", "on foot")),
        "complaint": story.complaint,
        "Complaint": _capital(story.complaint),
        "speaker": speaker,
        "Speaker": _capital(speaker),
        "speaker_s": {"she": "her", "he": "his"}.get(speaker, f"{speaker}'s"),
    }


def _who(age: float, female: bool) -> str:
    if age < 1:
        return "baby girl" if female else "baby boy"
    if age < 16:
        return "girl" if female else "boy"
    return "woman" if female else "man"


def _article(text: str) -> str:
    return "an" if text[0] in "aeiou8" or text.startswith(("11-", "18-")) else "a"


def _capital(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


@cache
def _pattern(table: str) -> re.Pattern[str]:
    longest_first = sorted(_words()[table], key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b")


def _replaced(text: str, table: str) -> str:
    forms = _words()[table]
    return _pattern(table).sub(lambda found: forms[found.group()], text)


def _slipped(text: str, rng: random.Random) -> str:
    """One slip of the keys in most phrases: two letters change places, or one is lost or doubled."""
    places = [i for i in range(1, len(text) - 1) if text[i - 1 : i + 2].isalpha()]
    if not places or rng.random() < 0.4:
        return text.replace(",", "") if rng.random() < 0.3 else text
    i = rng.choice(places)
    slip = rng.choice((text[i + 1] + text[i], text[i + 1], text[i] + text[i] + text[i + 1]))
    return text[:i] + slip + text[i + 2 :]
