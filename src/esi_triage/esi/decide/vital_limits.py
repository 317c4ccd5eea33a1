"""The handbook's vital-sign limits by age (point D): v4 "danger zone vitals", v5 "high-risk vital signs", ch. 6."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from ..catalogue import rules
from ..decision import Version
from ..vitals import Vitals

Band = dict[str, float]

ADULT_MONTHS = 40 * 12
"""Where the age is not recorded the adult limits are used; they are the strictest for pulse and breathing."""


class Crossing(NamedTuple):
    """One vital sign beyond its limit for age: the field of `Vitals`, its short name, the reading and the limit."""

    sign: str
    label: str
    value: float
    limit: float
    above: bool

    @property
    def words(self) -> str:
        """The limit that is crossed, e.g. "HR above 100"."""
        unit = " %" if self.sign == "spo2" else ""
        return f"{self.label} {'above' if self.above else 'below'} {self.limit:g}{unit}"


def band_of(bands: list[Band], age_months: float | None) -> Band:
    """The age band that holds the patient: from <= age < below; an adult's where the age is not recorded."""
    months = ADULT_MONTHS if age_months is None else age_months
    return next(band for band in bands if band["from"] <= months < band.get("below", float("inf")))


def crossings(age_months: float | None, vitals: Vitals, version: Version) -> list[Crossing]:
    """Every sign beyond the handbook's limit for age. Comparisons are strict, as in the handbook."""
    limits: dict[str, Any] = rules("limits")[version]
    band = band_of(limits["bands"], age_months)
    found: list[Crossing] = []
    for sign, label, value, limit in (
        ("heart_rate", "HR", vitals.heart_rate, band["hr_above"]),
        ("resp_rate", "RR", vitals.resp_rate, band["rr_above"]),
    ):
        if value is not None and value > limit:
            found.append(Crossing(sign, label, value, limit, above=True))
    if vitals.spo2 is not None and vitals.spo2 < limits["spo2_below"]:
        found.append(Crossing("spo2", "SpO2", vitals.spo2, limits["spo2_below"], above=False))
    return found


def danger_zone_vitals(age_years: float | None, vitals: Vitals, version: Version = "v5") -> list[str]:
    """Each sign beyond the handbook's limit for age in words, e.g. `["HR above 100", "SpO2 below 92 %"]`.

    What was not recorded is not beyond a limit.
    """
    months = None if age_years is None else age_years * 12
    return [crossing.words for crossing in crossings(months, vitals, version)]


def fever_rows(age_months: float | None, temperature_c: float | None, version: Version) -> Iterator[dict[str, Any]]:
    """The rows of the paediatric fever table that this child's age and temperature meet."""
    if temperature_c is None or age_months is None:
        return
    for row in rules("limits")["fever"][version]:
        beyond = temperature_c > row.get("above", float("inf")) or temperature_c < row.get("under", float("-inf"))
        if row["from"] <= age_months < row["below"] and beyond:
            yield row
