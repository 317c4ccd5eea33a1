"""Vital signs of made-up patients: drawn from what fits the picture and the age (vital_profiles.toml)."""

import random
import tomllib
from functools import cache
from importlib import resources
from typing import Any

from ...esi import VITALS_BY_NAME, Vitals
from ...esi.catalogue import rules
from ...esi.decide.vital_limits import band_of

_SPREAD = {"temperature_c": 0.01}
_FORGOTTEN = ("temperature_c", "resp_rate", "spo2", "sbp")


@cache
def _tables() -> dict[str, Any]:
    file = resources.files("esi_triage.data.corpus") / "vital_profiles.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def draw_vitals(profile: str, age: float, pain: int | None, missing: float, rng: random.Random) -> Vitals:
    """The vital signs of one patient; `age` in years. With the chance `missing` nobody measured anything."""
    resting = next(row for row in _tables()["resting"] if age < row["below"])
    signs: dict[str, float | None] = {
        "heart_rate": _near(resting["heart_rate"], 0.08, rng),
        "resp_rate": _near(resting["resp_rate"], 0.08, rng),
        "sbp": _near(resting["sbp"], 0.08, rng),
        "spo2": rng.choice((96, 97, 98, 99, 100)),
        "temperature_c": _near(36.8, 0.006, rng),
    }
    for name, changed in _tables()["profile"][profile].items():
        if name == "spo2":
            signs[name] = rng.randint(*changed)
        else:
            signs[name] = _near(resting.get(name, 1) * changed, _SPREAD.get(name, 0.08), rng)
    for name, value in signs.items():  # a newborn's breathing, doubled, can come out beyond what is plausible
        sign = VITALS_BY_NAME[name]
        signs[name] = _between(round(value or 0, 1 if name == "temperature_c" else None), sign.low, sign.high)
    signs |= {"dbp": round((signs["sbp"] or 0) * rng.uniform(0.55, 0.68)), "pain": pain}
    if rng.random() < missing:
        return Vitals()
    if rng.random() < 0.15:  # one sign was forgotten
        forgotten = rng.choice(_FORGOTTEN)
        signs[forgotten] = None
        if forgotten == "sbp":
            signs["dbp"] = None
    return Vitals(**signs)


def fitted(vitals: Vitals, age: float, level: int) -> Vitals:
    """The same signs, none of which by itself would give another level than `level` (ESI v5 ch. 3 and 6).

    At levels 3 to 5 none is beyond a danger-zone limit for age, at level 2 none is one that calls for level 1.
    """
    if level == 1:
        return vitals
    limits = rules("limits")
    if level == 2:
        band, oxygen = band_of(limits["immediate"]["bands"], age * 12), limits["immediate"]["spo2_below"]
        heart, breath, pressure = (
            (band["hr_at_most"] + 2, band["hr_at_least"] - 2),
            band["rr_at_most"] + 2,
            band["sbp_below"],
        )
    else:
        band, oxygen = band_of(limits["v5"]["bands"], age * 12), limits["v5"]["spo2_below"]
        heart, breath, pressure = (0, band["hr_above"]), 0, 0
    highest_breath = band.get("rr_above", 80)
    return vitals.model_copy(
        update={
            "heart_rate": _between(vitals.heart_rate, *heart),
            "resp_rate": _between(vitals.resp_rate, breath, highest_breath),
            "sbp": _between(vitals.sbp, pressure, 300),
            "spo2": _between(vitals.spo2, oxygen, 100),
        }
    )


def _between(value: float | None, low: float, high: float) -> float | None:
    return None if value is None else min(max(value, low), high)


def rounded_age(age: float) -> float:
    """An age in years as it is told: whole years from two on."""
    return float(int(age)) if age >= 2 else round(age, 3)


def _near(mean: float, spread: float, rng: random.Random) -> float:
    return mean * (1 + spread * max(-1.8, min(1.8, rng.gauss(0, 1))))
