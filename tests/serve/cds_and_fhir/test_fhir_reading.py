"""What is read from FHIR, in three dialects: the same facts, no level, and no value whose unit is not known."""

import json
from datetime import date

import pytest
from fhir_bundles import bundle, chile, mimic, observation, profiles, quantity
from hypothesis import given, settings
from hypothesis import strategies as st

from esi_triage.errors import InputError
from esi_triage.serve.fhir import NoComplaintError, read_visit, resources_in
from esi_triage.serve.fhir.measured import measured_in


def visit(value, **asked):
    return read_visit(resources_in(value), **asked)


def test_mimic_dialect():
    read = visit(mimic())
    assert read.narrative == "67-year-old woman, came by ambulance. Chief complaint: Chest pain, Dyspnea."
    assert read.vitals == pytest.approx(
        {"temperature_c": 38.5, "heart_rate": 104, "resp_rate": 22, "spo2": 94, "sbp": 98, "dbp": 61, "pain": 8}
    )
    assert set(read.dropped) == {"Observation 56839-4"}
    assert set(read.read_from) == {f"Observation/{id}" for id in "throbp"}
    assert (read.patient, read.encounter) == ("p1", "e1")


def test_chilean_dialect():
    read = visit(chile())
    assert read.narrative.startswith("34-year-old man, came by ambulance. Chief complaint: Dolor abdominal de 24 horas")
    assert read.vitals == {"heart_rate": 80}
    assert read.dropped == ("Encounter.priority",)


def test_profiles_of_vital_signs():
    read = visit(profiles())
    assert read.narrative == "3-month-old boy. Chief complaint: Fever, poor feeding."
    assert read.vitals == {"temperature_c": 39.1, "heart_rate": 188, "pain": 4}, "the newest, of this encounter only"
    assert read.dropped == ("Observation 75636-1",)


@pytest.mark.parametrize(
    ("when", "over", "expected"),
    [
        ({"effectiveInstant": "2180-05-06T22:00:00Z"}, False, 150),
        ({"effectivePeriod": {"start": "2180-05-06T22:00:00Z"}}, False, 150),
        ({"effectiveInstant": "2180-05-06T20:00:00Z"}, False, 80),
        ({"effectivePeriod": {"start": "2180-05-06T20:00:00Z"}}, True, 150),
        ({}, False, 80),
        ({}, True, 80),
    ],
    ids=["instant", "period", "an older instant", "the first of a visit that is over", "no time", "no time, over"],
)
def test_the_time_of_a_reading_is_read_in_all_of_fhir_s_ways(when, over, expected):
    pulse = {"code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}}
    rate = {"unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"}
    dated = {**pulse, "valueQuantity": {"value": 80, **rate}, "effectiveDateTime": "2180-05-06T21:00:00Z"}
    other = {**pulse, "valueQuantity": {"value": 150, **rate}, **when}
    for order in ([dated, other], [other, dated]):
        found, _ = measured_in(order, retrospective=over)
        assert found["heart_rate"].value == expected


@pytest.mark.parametrize("dialect", [mimic, chile, profiles])
def test_a_level_that_was_given_changes_nothing(dialect):
    """The same bundle with every acuity taken out reads the same: nothing of it leaks."""
    given = dialect()
    without = dialect()
    without["entry"] = [
        entry
        for entry in without["entry"]
        if not {"56839-4", "75636-1"} & {one.get("code") for one in entry["resource"].get("code", {}).get("coding", [])}
    ]
    for entry in without["entry"]:
        entry["resource"].pop("priority", None)
    read, clean = visit(given), visit(without)
    assert read.dropped
    assert not clean.dropped
    assert (read.narrative, read.vitals) == (clean.narrative, clean.vitals)


def one(code, patient="p1", encounter="e1", time="2180-05-06T19:20:00-04:00", **value):
    return observation("one", code, patient, encounter, time, **value)


def with_one(found):
    given = mimic()
    complaint = [entry for entry in given["entry"] if entry["resource"]["id"] in ("p1", "e1", "c")]
    return {**given, "entry": [*complaint, {"resource": found}]}


REFUSED = {
    "no unit code": {"value": 38.5, "unit": "Cel"},
    "unit for people only": {"value": 101.3, "unit": "°F", "code": "degF"},
    "kelvin": quantity(311, "K"),
    "another system": {"value": 38.5, "system": "http://snomed.info/sct", "code": "Cel"},
    "per second": quantity(38.5, "/s"),
    "unit is null": {"value": 38.5, "code": None},
    "unit is a list": {"value": 38.5, "code": ["Cel"]},
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_unit_that_is_not_known_is_refused_not_guessed(name):
    with pytest.raises(
        InputError, match=r"Observation.valueQuantity of T: unit code .* UCUM code, 'Cel' or '\[degF\]'"
    ):
        visit(with_one(one("8310-5", valueQuantity=REFUSED[name])))


LEFT_OUT = {
    "implausible": (one("8867-4", valueQuantity=quantity(900, "/min")), "HR 900 /min is not between 15 and 300"),
    "fahrenheit as celsius": (one("8310-5", valueQuantity=quantity(98.6, "Cel")), "T 98.6 °C is not between"),
    "comparator": (
        one("2708-6", valueQuantity=quantity(70, "%") | {"comparator": "<"}),
        "SpO2: < 70 is no exact value",
    ),
    "text": (one("8867-4", valueString="104"), "HR: valueString is not read"),
    "truth value": (one("8867-4", valueQuantity=quantity(True, "/min")), "HR: its value is no number"),
    "a number without end": (one("8867-4", valueQuantity=quantity(10**400, "/min")), "HR: its value is no number"),
    "no value": (one("8867-4", valueQuantity={"code": "/min"}), "HR: its value is no number"),
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_a_value_that_cannot_be_used_is_left_out_and_said(name):
    given, said = LEFT_OUT[name]
    read = visit(with_one(given))
    assert read.vitals == {}
    assert said in read.left_out[0]


@pytest.mark.parametrize(
    ("said", "vitals", "words"),
    [("8", {"pain": 8}, ""), ("7/10", {"pain": 7}, ""), ("unable", {}, 'Pain charted as "unable".'), ("13", {}, "")],
)
def test_pain_as_it_was_typed(said, vitals, words):
    read = visit(with_one(one("98137-3", valueString=said)))
    assert read.vitals == vitals
    assert read.narrative.endswith(words or "Dyspnea.")


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_what_was_retracted_is_not_read(status):
    assert visit(with_one(one("8867-4", valueQuantity=quantity(104, "/min")) | {"status": status})).vitals == {}


def test_any_coding_of_a_code_counts_and_only_loinc():
    given = one("8867-4", valueQuantity=quantity(104, "/min"))
    given["code"] = {"coding": [{"system": "urn:local", "code": "HR"}, *given["code"]["coding"]]}
    assert visit(with_one(given)).vitals == {"heart_rate": 104}
    given["code"] = {"coding": [{"system": "urn:local", "code": "8867-4"}]}
    assert visit(with_one(given)).vitals == {}


def test_without_a_complaint_there_is_nothing_to_read():
    given = mimic()
    given["entry"] = [entry for entry in given["entry"] if entry["resource"]["id"] != "c"]
    with pytest.raises(NoComplaintError, match="8661-1"):
        visit(given)
    for empty in (None, {}, [], "text", bundle(), {"resourceType": "OperationOutcome"}):
        with pytest.raises(NoComplaintError):
            visit(empty)


def test_another_patient_is_refused():
    with pytest.raises(InputError, match="another patient"):
        visit(with_one(one("8867-4", patient="p2", valueQuantity=quantity(104, "/min"))))
    with pytest.raises(InputError, match="another patient"):
        visit(mimic(), patient="p2")
    with pytest.raises(InputError, match=r"Patient\.id"):
        visit(bundle({"resourceType": "Patient", "id": ["p1"]}))
    second = {"resourceType": "Patient", "id": "p9"}
    with pytest.raises(InputError, match="2 patients"):
        visit(bundle(*(entry["resource"] for entry in mimic()["entry"]), second))


def test_two_encounters_need_a_word_which():
    first, second = ({"resourceType": "Encounter", "id": id, "reason": [{"text": id}]} for id in ("a", "b"))
    with pytest.raises(InputError, match=r"2 encounters.*context.encounterId"):
        visit(bundle(first, second))
    assert visit(bundle(first, second), encounter="b").narrative == "Patient. Chief complaint: b."
    emergency = second | {"class": "emergency"}  # DSTU2 writes the class as a word
    assert visit(bundle(first, emergency)).encounter == "b"


@pytest.mark.parametrize(
    ("born", "person"),
    [
        ("2020-03-02", "6-year-old child"),
        ("2010-03-02", "16-year-old patient"),
        ("2026-02-20", "10-day-old child"),
        ("2027-01-01", "Patient"),
        ("tomorrow", "Patient"),
        (None, "Patient"),
    ],
)
def test_age_is_that_at_the_start_of_the_visit(born, person):
    met = {"resourceType": "Encounter", "id": "e", "period": {"start": "2026-03-02T10:00:00Z"}, "reason": {"text": "x"}}
    who = {"resourceType": "Patient", "id": "p", "birthDate": born}
    read = visit(bundle(met, who), today=date(2040, 1, 1))
    assert read.narrative == f"{person}. Chief complaint: x."


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
keys = st.sampled_from(["coding", "code", "system", "value", "reference", "unit", "text"])
inner = scalars | st.dictionaries(keys, scalars, max_size=3)
anything = inner | st.lists(inner, max_size=3) | st.dictionaries(keys, st.lists(inner, max_size=2) | inner, max_size=3)
paths = st.sampled_from(["code", "subject", "encounter", "valueQuantity", "component", "status", "effectiveDateTime"])


@settings(max_examples=60, deadline=None)
@given(key=paths, value=anything, which=st.integers(0, 10))
def test_no_shape_of_a_field_brings_the_reader_down(key, value, which):
    given = json.loads(json.dumps(mimic()))
    given["entry"][which]["resource"][key] = value
    try:
        read = visit(given)
    except InputError:
        return
    assert isinstance(read.narrative, str)
    assert all(isinstance(number, float | int) for number in read.vitals.values())


def test_another_measurement_is_not_read():
    assert visit(with_one(one("29463-7", valueQuantity=quantity(70, "kg")))).vitals == {}
