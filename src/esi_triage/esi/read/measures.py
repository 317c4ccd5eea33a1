"""Numbers in a narrative: vital signs, coma scale and glucose, each with its span.

These are fixed notations ("BP 88/60", "T 101.2", "sats 91% RA"), listed in rules/notations.toml; what is free language
is left to the catalogue.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ..catalogue import rules
from ..findings import Evidence
from ..vitals import VITALS_BY_NAME, Vitals, fahrenheit_to_celsius

_MMOL_TO_MG_DL = 18.0
_NO_NAME = r"(?<!Mr )(?<!Mrs )(?<!Ms )(?<!Miss )"  # "Mr T 90": a letter after a title is a name


@dataclass
class Measures:
    """Mutable while reading: what was measured and where it stands."""

    values: dict[str, float] = field(default_factory=dict)
    evidence: dict[str, Evidence] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def vitals(self) -> Vitals:
        """The vital signs among the values."""
        return Vitals(**{name: self.values.get(name) for name in Vitals.model_fields})


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    notations = rules("notations")
    words = "|".join(map(_spaced, notations["between"]))
    between = rf"[\s:=\-–~>]*(?:\(?(?:{words})\b[\s:=\-–~]*)*"
    return tuple((row["measure"], _pattern(row, between)) for row in notations["reading"])


def _pattern(row: dict[str, Any], between: str) -> re.Pattern[str]:
    if "written" in row:
        return re.compile(row["written"], re.IGNORECASE)
    names = "|".join(map(_spaced, sorted(row["names"], key=len, reverse=True)))
    unless = "".join(f"(?!{what})" for what in row.get("unless", ()))
    return re.compile(rf"(?<![\w/]){_NO_NAME}(?:{names}){between}{row['number']}{unless}", re.IGNORECASE)


def _spaced(name: str) -> str:
    return re.escape(name).replace(r"\ ", r"\s+")


def with_decimal_points(text: str) -> str:
    """The text with a point for each decimal comma; its length does not change, so spans hold."""
    return _decimal_comma().sub(r"\1.", text)


@cache
def _decimal_comma() -> re.Pattern[str]:
    return re.compile(rules("notations")["decimal_comma"])


def read_measures(text: str) -> Measures:
    """Vital signs, pain, coma scale and glucose. Of several readings the last stands; of oxygen the lowest.

    Impossible values (outside `VITAL_SIGNS`, or a diastolic pressure not below the systolic) are reported as warnings
    and treated as not recorded.
    """
    found = Measures()
    taken: list[tuple[int, int]] = []
    readings: list[tuple[str, float, Evidence]] = []
    pointed = with_decimal_points(text)
    for name, pattern in _patterns():
        for match in pattern.finditer(pointed):
            if any(start < match.end() and match.start() < end for start, end in taken):
                continue
            if name == "bp" and not _is_pressure(match):
                continue
            taken.append(match.span())
            evidence = Evidence(match.start(), match.end(), text[match.start() : match.end()])
            readings += [(measure, value, evidence) for measure, value in _values(name, match)]
    for measure, value, evidence in sorted(readings, key=lambda reading: reading[2].start):
        _keep(found, measure, value, evidence)
    _check_pressure(found)
    return found


def _values(name: str, match: re.Match[str]) -> Iterator[tuple[str, float]]:
    groups = match.groupdict()
    if name == "bp":
        yield "sbp", float(groups["sbp"])
        if groups.get("dbp"):
            yield "dbp", float(groups["dbp"])
    elif name == "temperature_c":
        yield name, _celsius(float(groups["v"]), groups.get("unit") or "")
    elif name == "glucose":
        value = float(groups["v"])
        yield name, round(value * _MMOL_TO_MG_DL) if groups.get("unit") else value
    else:
        yield name, float(groups.get("high") or groups["v"])


def _celsius(value: float, unit: str) -> float:
    """In °C. Without a unit a number above 50 is Fahrenheit: no living patient is that hot in Celsius."""
    letter = unit.upper().replace("DEGREES", "").replace("DEGREE", "").strip(" °")[:1]
    fahrenheit = letter == "F" or (letter != "C" and value > 50)
    return round(fahrenheit_to_celsius(value), 1) if fahrenheit else value


def _is_pressure(match: re.Match[str]) -> bool:
    """A bare "120/80" is a pressure only when it looks like one; with its name before it, it always is."""
    if not match.group()[0].isdigit():
        return True
    dbp = match.groupdict().get("dbp")
    return dbp is None or (60 <= float(match["sbp"]) <= 260 and 25 <= float(dbp) < float(match["sbp"]))


def _keep(found: Measures, measure: str, value: float, evidence: Evidence) -> None:
    sign = VITALS_BY_NAME.get(measure)
    if sign and not sign.plausible(value):
        unit = sign.unit if sign.unit in ("%", "/10") else f" {sign.unit}"
        found.warnings.append(
            f"{sign.label} {value:g}{unit} in {evidence.text!r} is impossible "
            f"(expected {sign.low:g} to {sign.high:g}): treated as not recorded"
        )
        return
    if measure == "gcs" and not 3 <= value <= 15:
        found.warnings.append(f"GCS {value:g} in {evidence.text!r} is impossible (3 to 15): treated as not recorded")
        return
    if measure == "spo2" and found.values.get("spo2", 101) < value:
        return
    if measure == "pain" and found.values.get("pain", -1) > value and "now" not in evidence.text:
        return
    found.values[measure] = value
    found.evidence[measure] = evidence


def _check_pressure(found: Measures) -> None:
    sbp, dbp = found.values.get("sbp"), found.values.get("dbp")
    if sbp is None or dbp is None or dbp < sbp:
        return
    found.warnings.append(f"BP {sbp:g}/{dbp:g} is impossible (diastolic not below systolic): treated as not recorded")
    for name in ("sbp", "dbp"):
        del found.values[name], found.evidence[name]
