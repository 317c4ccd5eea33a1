"""Points A and B by numbers alone: vital signs, coma scale and temperature (rules/limits.toml)."""

from collections.abc import Iterator
from typing import NamedTuple

from ..catalogue import rules
from ..findings import Evidence
from .patient_facts import PatientFacts, at_baseline
from .vital_limits import fever_rows

_INF = float("inf")


class NumberReason(NamedTuple):
    """A number that decides: the sentence, the sign's name and the span it was read from."""

    sentence: str
    label: str
    evidence: tuple[Evidence, ...]


def immediate_numbers(facts: PatientFacts) -> Iterator[NumberReason]:
    """Numbers that call for a life-saving step now."""
    limits = rules("limits")["immediate"]
    band = facts.band(limits["bands"])
    for name, sign, label, at_least, at_most in (
        ("hr", "heart_rate", "heart rate", band["hr_at_least"], band["hr_at_most"]),
        ("rr", "resp_rate", "respiratory rate", _INF, band["rr_at_most"]),
        ("gcs", "gcs", "coma scale", _INF, limits["gcs_at_most"]),
    ):
        value = facts.value(name)
        if value is None or at_most < value < at_least or (name == "gcs" and "unresponsive-baseline" in facts.present):
            continue
        yield NumberReason(f"{label} {value:g} (handbook v5, chapter 3)", label, facts.evidence(sign))
    yield from _shock(facts, band["sbp_below"])
    yield from _oxygen(facts)


def _shock(facts: PatientFacts, sbp_below: float) -> Iterator[NumberReason]:
    rule = rules("limits")["hypoperfusion"]
    sbp, index = facts.value("sbp"), facts.value("shock_index")
    if sbp is None:
        return
    spans = facts.evidence("sbp")
    adult = facts.age_months >= rule["age_months_from"]
    if sbp < sbp_below:
        yield NumberReason(f"very low blood pressure, systolic {sbp:g} (handbook v5, chapter 3)", "shock", spans)
    elif "hypotension" in facts.present and "hypoperfusion" in facts.present:
        why = f"systolic {sbp:g} with signs of poor perfusion: shock (handbook v5, chapter 3)"
        yield NumberReason(why, "shock", (*spans, *facts.shown["hypoperfusion"]))
    elif adult and sbp <= rule["sbp_at_most"] and (index or 0) >= rule["shock_index_at_least"]:
        why = f"pulse {facts.value('hr'):g} over systolic {sbp:g}: shock (handbook v5, chapter 3)"
        yield NumberReason(why, "shock", facts.evidence("heart_rate", "sbp"))


def _oxygen(facts: PatientFacts) -> Iterator[NumberReason]:
    limits = rules("limits")["immediate"]
    spo2 = facts.value("spo2")
    if spo2 is None or spo2 >= limits["spo2_below"] or at_baseline(spo2, facts.stated):
        return
    spans = facts.evidence("spo2")
    if facts.version == "v4" or spo2 < limits["spo2_profound_below"]:
        yield NumberReason(f"oxygen saturation {spo2:g} % (handbook v4, chapter 2)", "low oxygen", spans)
    elif not facts.present.isdisjoint(limits["spo2_compromise"]):
        why = f"oxygen saturation {spo2:g} %, not known to be usual, with other compromise (handbook v5, chapter 3)"
        yield NumberReason(why, "low oxygen", spans)


def high_risk_numbers(facts: PatientFacts) -> Iterator[NumberReason]:
    """Numbers of a patient who is likely to deteriorate."""
    limits = rules("limits")["high_risk"]
    band = facts.band(limits["bands"])
    for name, sign, label, at_least, below in (
        ("hr", "heart_rate", "heart rate", band["hr_at_least"], band["hr_at_most"] + 0.5),
        ("rr", "resp_rate", "respiratory rate", band["rr_at_least"], -_INF),
        ("sbp", "sbp", "systolic pressure", limits["sbp_at_least"], band["sbp_below"]),
        ("dbp", "dbp", "diastolic pressure", limits["dbp_at_least"], -_INF),
        ("temp", "temperature_c", "temperature", limits["temp_c_at_least"], limits["temp_c_below"]),
    ):
        value = facts.value(name)
        if value is not None and (value >= at_least or value < below):
            yield NumberReason(f"{label} {value:g} (handbook v5, chapter 4)", label, facts.evidence(sign))
    yield from _low_scores(facts)
    yield from _young_fever(facts)


def _low_scores(facts: PatientFacts) -> Iterator[NumberReason]:
    limits = rules("limits")["high_risk"]
    gcs, spo2 = facts.value("gcs"), facts.value("spo2")
    if gcs is not None and gcs <= limits["gcs_at_most"] and "unresponsive-baseline" not in facts.present:
        yield NumberReason(
            f"coma scale {gcs:g}, taken as new (handbook v5, chapter 4)", "coma scale", facts.evidence("gcs")
        )
    if spo2 is not None and spo2 < limits["spo2_below"] and "low-oxygen" in facts.present:
        why = f"oxygen saturation {spo2:g} %, not known to be usual (handbook v5, chapters 3 and 4)"
        yield NumberReason(why, "low oxygen", facts.evidence("spo2"))


def _young_fever(facts: PatientFacts) -> Iterator[NumberReason]:
    for row in fever_rows(facts.findings.age_months, facts.value("temp"), facts.version):
        if row["at_most"] == 2:
            temp = facts.value("temp")
            why = f"temperature {temp:g} °C at {facts.age_months:.1f} months (handbook {facts.version}, chapter 6)"
            yield NumberReason(why, "temperature", facts.evidence("temperature_c", "age"))
