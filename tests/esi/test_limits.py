"""Vital-sign limits by age, v4 and v5, at every edge of every band; the handbook's comparisons are strict."""

import itertools
from typing import Any, get_args

import pytest

from esi_triage.esi import Version, Vitals, assess, danger_zone_vitals, decide
from esi_triage.esi.catalogue import rules
from esi_triage.esi.findings import Evidence, Finding, Findings

_VERSIONS = get_args(Version)

# (handbook, first month, month after the last, HR above, RR above): v4 ch. 6 table 6-1, v5 ch. 6. Kept here by hand so
# that a slip in limits.toml cannot pass.
_TABLE = (
    ("v4", 0, 3, 180, 50),
    ("v4", 3, 36, 160, 40),
    ("v4", 36, 96, 140, 30),
    ("v4", 96, 1200, 100, 20),
    ("v5", 0, 1, 190, 60),
    ("v5", 1, 12, 180, 55),
    ("v5", 12, 36, 140, 40),
    ("v5", 36, 60, 120, 35),
    ("v5", 60, 144, 120, 30),
    ("v5", 144, 216, 100, 20),
    ("v5", 216, 1200, 100, 20),
)
_EDGES = [(*row, age) for row in _TABLE for age in (row[1], (row[1] + row[2]) / 2, row[2] - 0.01)]


@pytest.mark.parametrize(("version", "first", "after", "hr", "rr", "months"), _EDGES)
def test_band(version: Version, first: int, after: int, hr: int, rr: int, months: float) -> None:
    def beyond(**signs: float) -> list[str]:
        return danger_zone_vitals(months / 12, Vitals(**signs), version)

    assert beyond(heart_rate=hr) == []
    assert beyond(heart_rate=hr + 1) == [f"HR above {hr}"]
    assert beyond(resp_rate=rr) == []
    assert beyond(resp_rate=rr + 1) == [f"RR above {rr}"]
    assert beyond(spo2=92) == []
    assert beyond(spo2=91) == ["SpO2 below 92 %"]


def test_bands_leave_no_gap() -> None:
    for version in _VERSIONS:
        bands: list[dict[str, Any]] = rules("limits")[version]["bands"]
        assert bands[0]["from"] == 0
        assert "below" not in bands[-1]
        assert all(one["below"] == other["from"] for one, other in itertools.pairwise(bands))


def test_an_unknown_age_is_an_adult_and_nothing_recorded_is_nothing_beyond() -> None:
    assert danger_zone_vitals(None, Vitals(heart_rate=101)) == ["HR above 100"]
    assert danger_zone_vitals(4, Vitals()) == []


def _cold(age_months: float, **signs: float) -> Findings:
    cold = Finding("cold-symptoms", "common cold", "present", (Evidence(0, 4, "cold"),))
    return Findings(age_months=age_months, vitals=Vitals(**signs), items=(cold,))


@pytest.mark.parametrize(("version", "first", "after", "hr", "rr", "months"), _EDGES)
def test_two_signs_beyond_the_limit_raise_where_the_version_allows(
    version: Version, first: int, after: int, hr: int, rr: int, months: float
) -> None:
    at_limit = decide(_cold(months, heart_rate=hr, resp_rate=rr), version)
    beyond = decide(_cold(months, heart_rate=hr + 1, resp_rate=rr + 1), version)
    assert at_limit.level == 5
    assert beyond.level == (2 if version == "v5" else 5)  # v4 ch. 2: point D is for level-3 candidates alone


def test_one_sign_by_a_hair_is_considered_and_left() -> None:
    decision = assess("40 y/o M, abdominal pain and vomiting. HR 103, RR 16, SpO2 99 %.")
    assert decision.level == 3
    assert decision.possible == {2, 3}
    assert decision.step("D").answer == "undetermined"


@pytest.mark.parametrize(
    ("narrative", "version", "level"),
    [
        ("3 week old girl, T 38.1 C.", "v5", 2),
        ("3 week old girl, T 38.1 C.", "v4", 2),
        ("10 week old girl, T 38.1 C.", "v5", 2),
        ("10 week old girl, T 35.5 C.", "v5", 2),
        ("10 month old girl, fever. T 39.4 C. HR 120, RR 28.", "v5", 3),
        ("10 month old girl, ear infection, immunized. T 39.4 C. HR 120, RR 28.", "v5", 5),
    ],
)
def test_fever_in_small_children(narrative: str, version: Version, level: int) -> None:
    assert assess(narrative, version).level == level


def test_spo2_below_90_alone_is_1_in_v4_and_not_in_v5() -> None:
    narrative = "60 y/o M with a cough. SpO2 88 %, RR 18, HR 84."
    assert assess(narrative, "v4").level == 1
    assert assess(narrative, "v5").level == 2


def test_an_unknown_version_is_an_error() -> None:
    with pytest.raises(ValueError, match="v6"):
        assess("cough", "v6")  # pyright: ignore[reportArgumentType]
