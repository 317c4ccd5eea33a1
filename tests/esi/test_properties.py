"""What must hold of every narrative and every patient."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esi_triage.esi import Vitals, assess, decide, read
from esi_triage.esi.catalogue import entries

_COMPLAINTS = (
    "54 y/o M with chest pain.",
    "30 y/o F, abdominal pain and vomiting.",
    "8 y/o boy with cough and fever.",
    "15 month old girl, watery stools.",
    "3 week old boy, poor feeding.",
    "70 y/o M with COPD, short of breath.",
    "22 y/o M, sore throat.",
    "45 y/o F, ankle sprain.",
    "4 y/o girl had a seizure.",
    "60 y/o F needs a prescription refill.",
    "28 y/o F, 30 weeks pregnant, headache.",
    "35 y/o M, laceration of the hand.",
    "81 y/o F, dizzy.",
    "patient with something that no catalogue knows.",
)
_COMPLAINT = st.sampled_from(_COMPLAINTS)
_VERSION = st.sampled_from(("v5", "v4"))
_CALM = Vitals(temperature_c=36.9, heart_rate=96, resp_rate=16, spo2=98, sbp=124, dbp=76, pain=0)

# A sign and how it worsens, from a value that is calm at any of these ages outwards (a slow pulse is another matter).
_WORSE = {
    "heart_rate": st.tuples(st.integers(90, 290), st.integers(0, 120)),
    "resp_rate": st.tuples(st.integers(14, 70), st.integers(0, 40)),
    "temperature_c": st.tuples(st.integers(36, 44), st.integers(0, 6)),
    "pain": st.tuples(st.integers(0, 10), st.integers(0, 10)),
    "spo2": st.tuples(st.integers(70, 100), st.integers(0, 40)),
    "sbp": st.tuples(st.integers(110, 130), st.integers(0, 80)),
}
_LOWER_IS_WORSE = ("spo2", "sbp")


@settings(max_examples=600, deadline=None)
@given(_COMPLAINT, st.sampled_from(sorted(_WORSE)), st.data(), _VERSION)
def test_a_worse_vital_sign_never_lowers_acuity(complaint: str, sign: str, data: st.DataObject, version: str) -> None:
    value, more = data.draw(_WORSE[sign])
    worse = value - more if sign in _LOWER_IS_WORSE else value + more
    findings = read(complaint)

    def level(reading: float) -> int:
        vitals = _CALM.model_copy(update={sign: float(reading)})
        return decide(replace(findings, vitals=vitals), version).level  # pyright: ignore[reportArgumentType]

    assert level(worse) <= level(value)


_DONE_NOW = (
    "Intubated by EMS.",
    "Being bagged on arrival.",
    "CPR in progress.",
    "Defibrillated twice by medics.",
    "External pacing started.",
    "Needle decompression done in the field.",
    "On BiPAP now.",
    "Massive transfusion running.",
    "Tourniquet applied by EMS.",
    "Dopamine drip running.",
    "Narcan given, no response.",
    "Adenosine given, still HR 190.",
    "D50 given, still unresponsive.",
    "Surgical airway placed.",
)


@settings(max_examples=200, deadline=None)
@given(_COMPLAINT, st.sampled_from(_DONE_NOW), _VERSION)
def test_a_life_saving_intervention_done_now_is_level_1(complaint: str, done: str, version: str) -> None:
    decision = assess(f"{complaint} {done}", version)  # pyright: ignore[reportArgumentType]
    assert decision.level == 1
    assert decision.step("A").evidence


_ABSENT = (
    "No chest pain.",
    "Denies shortness of breath, fever or headache.",
    "No loss of consciousness.",
    "Denies suicidal ideation.",
    "No neck stiffness, no rash, no confusion.",
    "Never intubated.",
    "No seizure, no vomiting.",
    "Denies abdominal pain, vaginal bleeding or syncope.",
    "No drooling, no stridor.",
    "Mother had a stroke.",
    "Told to return for chest pain, fever or confusion.",
)


@settings(max_examples=200, deadline=None)
@given(_COMPLAINT, st.sampled_from(_ABSENT), _VERSION)
def test_a_negated_finding_changes_nothing(complaint: str, absent: str, version: str) -> None:
    before = assess(complaint, version)  # pyright: ignore[reportArgumentType]
    after = assess(f"{complaint} {absent}", version)  # pyright: ignore[reportArgumentType]
    assert (after.level, after.possible) == (before.level, before.possible)


@settings(max_examples=150, deadline=None)
@given(_COMPLAINT, st.integers(960, 1060))
def test_units_do_not_matter(complaint: str, tenths_f: int) -> None:
    fahrenheit = tenths_f / 10
    celsius = round((fahrenheit - 32) / 1.8, 1)
    assert assess(f"{complaint} T {fahrenheit} F").level == assess(f"{complaint} T {celsius} °C").level
    assert assess(f"{complaint} T {fahrenheit}").level == assess(f"{complaint} T {celsius}").level


@settings(max_examples=150, deadline=None)
@given(_COMPLAINT, _COMPLAINT, _VERSION)
def test_the_trace_holds_together(one: str, other: str, version: str) -> None:
    narrative = f"{one} {other}"
    decision = assess(narrative, version)  # pyright: ignore[reportArgumentType]
    assert [step.point for step in decision.steps] == ["A", "B", "C", "D"]
    assert decision.level in decision.possible
    assert (decision.level == 1) == (decision.step("A").answer == "yes")
    for step in decision.steps:
        assert step.reason
        for evidence in step.evidence:
            assert narrative[evidence.start : evidence.end] == evidence.text
    assert assess(narrative, version) == decision  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("name", [entry.name for entry in entries().values() if entry.kind == "intervention"])
def test_an_intervention_that_is_only_planned_or_refused_is_not_level_1(name: str) -> None:
    said = entries()[name].say[0]
    assert assess(f"50 y/o M, rash on the arm. Refuses {said}.").level > 1
    assert assess(f"50 y/o M, rash on the arm. No {said}.").level > 1


@pytest.mark.parametrize(
    ("narrative", "level", "others"),
    [
        ("52 y/o F, abdominal pain for two days. HR 76, RR 14, SpO2 99 %, BP 124/78.", 3, set()),
        ("52 y/o F, abdominal pain for two days, joking. HR 76, RR 14, SpO2 99 %, BP 124/78.", 3, {4, 5}),
        ("52 y/o F, abdominal pain, blood tests only. HR 76, RR 14, SpO2 99 %, BP 124/78.", 4, {3}),
        ("61 y/o M, chest pain. HR 76, RR 14, SpO2 99 %, BP 124/78.", 2, set()),
        ("61 y/o M, chest pain, joking. HR 76, RR 14, SpO2 99 %, BP 124/78.", 2, {3}),
    ],
)
def test_what_the_nurse_sees_opens_levels_and_never_moves_one(narrative: str, level: int, others: set[int]) -> None:
    decision = assess(narrative)
    assert decision.level == level
    assert others <= decision.possible
    assert others or decision.possible == {level}
