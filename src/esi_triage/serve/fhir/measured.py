"""Vital signs out of FHIR Observations, by LOINC code and UCUM unit. An unknown unit is refused, not guessed."""

import math
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources as package_files
from typing import Any

from ...errors import InputError
from ...esi import VITALS_BY_NAME, fahrenheit_to_celsius
from .resources import LOINC, UCUM, Resource, codes_in, objects, posix_time, stated_times


@dataclass(frozen=True, slots=True)
class Measured:
    """One reading at a time (POSIX seconds): the value in our unit, or what was charted instead (pain "unable")."""

    value: float | None
    said: str | None
    time: float
    source: str | None


@cache
def code_table() -> Mapping[str, Any]:
    """The codes and units that are read (fhir_codes.toml)."""
    return tomllib.loads((package_files.files("esi_triage.serve.fhir") / "fhir_codes.toml").read_text(encoding="utf-8"))


@cache
def _signs() -> Mapping[str, Mapping[str, Any]]:
    return {code: sign for sign in code_table()["sign"] for code in sign["codes"]}


def measured_in(observations: Iterable[Resource], retrospective: bool) -> tuple[dict[str, Measured], tuple[str, ...]]:
    """Each sign's reading, and in words what could not be used.

    The newest reading counts; of a visit that is over (`retrospective`) the earliest, the only one known at triage.
    Raises InputError for a unit that is not known.
    """
    found: dict[str, Measured] = {}
    left_out: dict[str, None] = {}
    for name, reading in _readings(observations):
        sign = VITALS_BY_NAME[name]
        if isinstance(reading, str):
            left_out[f"{sign.label}: {reading}"] = None
        elif reading.value is not None and not sign.plausible(reading.value):
            left_out[f"{sign.label} {reading.value:g} {sign.unit} is not between {sign.low:g} and {sign.high:g}"] = None
        elif name not in found or _replaces(reading.time, found[name].time, retrospective):
            found[name] = reading
    return found, tuple(left_out)


def _replaces(time: float, other: float, retrospective: bool) -> bool:
    if math.isinf(time) or math.isinf(other):  # a time that is not known stands behind every other
        return math.isinf(other) and not math.isinf(time)
    return time < other if retrospective else time > other


def _readings(observations: Iterable[Resource]) -> Iterator[tuple[str, Measured | str]]:
    for observation in observations:
        time = posix_time(next(stated_times(observation), None))
        source = f"Observation/{observation['id']}" if observation.get("id") else None
        for holder in (observation, *objects(observation.get("component"))):
            for code in sorted(codes_in(holder.get("code"), LOINC) & _signs().keys())[:1]:
                name = str(_signs()[code]["name"])
                reading = _reading(holder, _signs()[code])
                if isinstance(reading, str):
                    yield name, reading
                elif reading is not None:
                    yield name, Measured(*reading, time, source)


def _reading(holder: Resource, sign: Mapping[str, Any]) -> tuple[float | None, str | None] | str | None:
    """Value and words; a sentence where the reading can't be used; None where there is none."""
    if holder.get("dataAbsentReason"):
        return None
    if sign["name"] == "pain":
        for key in ("valueInteger", "valueString"):
            if holder.get(key) is not None:
                return _pain(holder[key])
    quantity = holder.get("valueQuantity")
    if not isinstance(quantity, Mapping):
        present = [key for key in holder if key.startswith("value")]
        return f"{present[0]} is not read, only valueQuantity" if present else None
    value = _finite(quantity.get("value"))
    if value is None:
        return "its value is no number"
    if quantity.get("comparator"):
        return f"{quantity['comparator']} {value:g} is no exact value"
    return (fahrenheit_to_celsius(value) if _unit(quantity, sign) == "[degF]" else value), None


def _finite(value: Any) -> float | None:
    """The number; null for what is none, and for an integer that is too large for a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _unit(quantity: Mapping[str, Any], sign: Mapping[str, Any]) -> str:
    """The UCUM code without annotations; `unit` is text for people and is not trusted."""
    code = quantity.get("code")
    plain = re.sub(r"\{[^{}]*\}", "", code) if isinstance(code, str) else None
    if plain is None or plain not in sign["units"] or quantity.get("system", UCUM) != UCUM:
        units = " or ".join(repr(unit) for unit in sign["units"] if unit) or "{score}"
        raise InputError(
            f"Observation.valueQuantity of {VITALS_BY_NAME[sign['name']].label}: unit code {code!r} is not known;"
            f" send a UCUM code, {units}."
        )
    return plain


def _pain(said: Any) -> tuple[float | None, str | None] | str | None:
    """A score, or the nurse's own words where it is none."""
    words = " ".join(str(said).split())
    number = re.fullmatch(r"(\d{1,2}(?:\.\d+)?)(?:\s*/\s*10)?", words)
    if number:
        return float(number[1]), None
    return (None, words.replace('"', "'")[:40]) if words else None
