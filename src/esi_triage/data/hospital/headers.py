"""Which column of an unknown file is which field of the map, by its name alone (the names in columns.toml)."""

import re
from collections.abc import Sequence
from functools import cache

from .column_map import Columns, known

_ONLY_WHOLE = (
    "stay_id",
    "subject_id",
    "split",
    "arrival_time",
    "arrival",
    "group",
)  # parts of such names are too common


def guess_columns(names: Sequence[str]) -> dict[str, str]:
    """Field to column; no column twice, and none that agrees with another field better."""
    scored = sorted(
        ((score, field, name) for name in names for field in Columns.model_fields if (score := _likeness(name, field))),
        key=lambda found: -found[0],
    )
    found: dict[str, str] = {}
    for _, field, name in scored:
        if field not in found and name not in found.values():
            found[field] = name
    return _without_rivals(found)


def pain_columns(names: Sequence[str]) -> list[str]:
    """Every column that could be the pain score, the likeliest first."""
    return sorted(filter(lambda name: _likeness(name, "pain"), names), key=lambda name: -_likeness(name, "pain"))


def guess_section(section: str, names: Sequence[str]) -> dict[str, str]:
    """Name to column, for `groups` or `outcomes`: the first column whose name has one of the section's parts."""
    found: dict[str, str] = {}
    for name in names:
        spelt = f" {_words(name)} "
        for proposed, parts in known()[section].items():
            if any(f" {part} " in spelt for part in parts):
                found.setdefault(proposed, name)
                break
    return found


def after_triage(name: str) -> bool:
    """True where a name speaks of what is known only after triage."""
    words = _words(name).split()
    return any(word.startswith(part) if len(part) > 4 else word == part for word in words for part in _later())


def _likeness(name: str, field: str) -> int:
    """0 for none. A whole name counts more than a part, a long part more than a short one, an early name more."""
    synonyms: list[str] = known()["names"][field]
    squeezed = _words(name).replace(" ", "")
    for place, synonym in enumerate(synonyms):
        if squeezed == synonym.replace(" ", ""):
            return 1000 - place
    if field in _ONLY_WHOLE or after_triage(name):
        return 0
    spelt = f" {_words(name)} "
    whole: list[str] = known()["only_whole"].get(field, [])
    return max((len(name) for name in synonyms if name not in whole and f" {name} " in spelt), default=0)


def _words(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", name.lower()).strip()


@cache
def _later() -> tuple[str, ...]:
    return tuple(known()["after_triage"]["words"])


def _without_rivals(found: dict[str, str]) -> dict[str, str]:
    """One way to tell the pressure, and one to tell the age."""
    if "sbp" in found or "dbp" in found:
        found.pop("blood_pressure", None)
    if "age" in found or "arrival_time" not in found:
        found.pop("birth_date", None)
    if "birth_date" not in found:
        found.pop("arrival_time", None)
    return {field: found[field] for field in Columns.model_fields if field in found}
