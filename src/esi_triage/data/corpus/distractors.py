"""What a note says besides the reason to come: denials, family and past history, and remarks (distractors.toml).

None of it may change the level. Denials, family and past are drawn from the ESI engine's catalogue, so that what the
engine can read is also what a model learns not to be led astray by.
"""

import random
import re
import tomllib
from functools import cache
from importlib import resources
from typing import Any

from ...esi import Sex
from ...esi.catalogue import Entry, entries


@cache
def _words() -> dict[str, Any]:
    file = resources.files("esi_triage.data.corpus") / "distractors.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def draw_asides(
    told: str, age: float, sex: Sex, level: int, entry: str | None, n: int, rng: random.Random, well_before: bool = True
) -> list[str]:
    """At most `n` remarks that fit a patient of `age` years with `told` (complaint, clue and words) and this level.

    Nothing is denied that `told` mentions or that shares a body system with the catalogue entry of the complaint.
    `well_before` is False where the note tells of a past illness: then nobody is called healthy.
    """
    kinds = ["denied"] * 3 + ["scene"] * 6 + ["social"] * 2 + ["family", "past"]
    kinds += (
        ["healthy"] * (3 if level >= 4 else 1) * well_before
    )  # most people with little wrong have nothing else either
    kinds += ["calm", "awake"] if level >= 3 else ["awake"] if level == 2 else []
    told = told.lower()
    found: dict[str, str] = {}
    for _ in range(n):
        kind = rng.choice(kinds)
        once = kind if kind not in ("scene", "social") else f"{kind}{len(found)}"
        if once not in found and (aside := _aside(kind, told, age, sex, level, entry, rng)):
            found[once] = aside
    return list(dict.fromkeys(found.values()))


def _aside(kind: str, told: str, age: float, sex: Sex, level: int, entry: str | None, rng: random.Random) -> str | None:
    words, group = _words(), "child" if age < 5 else "minor" if age < 18 else "adult"
    if kind == "awake" and level == 2 and _clouded().search(told):
        return None
    if kind in ("social", "calm", "awake", "healthy"):
        return rng.choice(words[kind][group])
    if kind == "scene":
        sentences = words["scene"]["any"][group] + (words["scene"]["awake"][group] if level > 1 else [])
        return rng.choice(sentences).format_map(_slots(group, sex, rng))
    if kind == "past" and age < 30:
        return None
    candidates = [found for name in rng.sample(words[kind], 4) if _apart(found := entries()[name], told, entry)]
    if len(candidates) < 2:
        return None
    x, y = (_plain(candidate.label) for candidate in candidates[:2])
    if kind == "denied":
        return rng.choice(words["deny" if age >= 5 else "deny_for"]).format(x=x, y=y, He="She" if sex == "F" else "He")
    if kind == "family":
        return rng.choice(words["relative"]).format(x=x, who=rng.choice(words["who"]))
    return rng.choice(words["long_ago"]).format(x=x, n=rng.randint(2, 20))


def _slots(group: str, sex: Sex, rng: random.Random) -> dict[str, str]:
    words = _words()
    he, his, him = ("she", "her", "her") if sex == "F" else ("he", "his", "him")
    pronouns = {"he": he, "his": his, "him": him, "He": he.capitalize(), "His": his.capitalize()}
    drawn = {"who": words["who_came"][group], "doing": words["doing"][group], "job": words["jobs"]["adult"]}
    return pronouns | {name: rng.choice(choices) for name, choices in (drawn | words["times"]).items()}


@cache
def _clouded() -> re.Pattern[str]:
    """Words for somebody who is not wide awake or not himself, from the catalogue."""
    phrases = [phrase for name in ("altered", "unresponsive") for phrase in entries()[name].say]
    return re.compile("|".join(map(re.escape, phrases)))


def _plain(label: str) -> str:
    """A label as it is said: "dizziness or vertigo" is dizziness, "flank pain, kidney stone suspected" flank pain."""
    return label.split(",")[0].split(" or ")[0].removesuffix(" suspected")


def _apart(candidate: Entry, told: str, entry: str | None) -> bool:
    own = entries().get(entry) if entry else None
    if own is not None and own.system == candidate.system:
        return False
    return not any(phrase in told for phrase in (_plain(candidate.label), *candidate.say))
