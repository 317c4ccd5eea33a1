"""The handbook's vital-sign limits by age (point D): v4 "danger zone vitals", v5 "high-risk vital signs", ch. 6."""

from typing import Any

from .catalogue import rules
from .decision import Version
from .vitals import Vitals

Band = dict[str, float]

ADULT_MONTHS = 40 * 12
"""Where the age is not recorded the adult limits are used; they are the strictest for pulse and breathing."""


def band_of(bands: list[Band], age_months: float | None) -> Band:
    """The age band that holds the patient: from <= age < below; an adult's where the age is not recorded."""
    months = ADULT_MONTHS if age_months is None else age_months
    return next(band for band in bands if band["from"] <= months < band.get("below", float("inf")))


def danger_zone_vitals(age_years: float | None, vitals: Vitals, version: Version = "v5") -> list[str]:
    """Each sign beyond the handbook's limit for age in words, e.g. `["HR above 100", "SpO2 below 92 %"]`.

    Comparisons are strict, as in the handbook; what was not recorded is not beyond a limit.
    """
    limits: dict[str, Any] = rules("limits")[version]
    band = band_of(limits["bands"], None if age_years is None else age_years * 12)
    found: list[str] = []
    for label, value, limit in (
        ("HR", vitals.heart_rate, band["hr_above"]),
        ("RR", vitals.resp_rate, band["rr_above"]),
    ):
        if value is not None and value > limit:
            found.append(f"{label} above {limit:g}")
    if vitals.spo2 is not None and vitals.spo2 < limits["spo2_below"]:
        found.append(f"SpO2 below {limits['spo2_below']:g} %")
    return found
