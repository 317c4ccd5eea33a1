"""Numbers, ages and contexts as nurses write them."""

from dataclasses import replace
from importlib import import_module

import pytest

from esi_triage.data.corpus.nurse_notes import written_notes
from esi_triage.esi import assess, decide, read
from esi_triage.esi.catalogue import entries
from esi_triage.esi.read.measures import read_measures
from esi_triage.esi.read.mentions import find_mentions
from esi_triage.esi.read.person import read_age_months
from esi_triage.esi.read.tokens import tokens_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("BP 88/60", {"sbp": 88, "dbp": 60}),
        ("B/P: 120/80, P 72, R 16", {"sbp": 120, "dbp": 80, "heart_rate": 72, "resp_rate": 16}),
        ("BP 80/palp", {"sbp": 80}),
        ("blood pressure of 150/90", {"sbp": 150, "dbp": 90}),
        ("pressure in the 60s systolic", {}),
        ("HR 118", {"heart_rate": 118}),
        ("100.6 92 18 124/78 97% RA",
         {"temperature_c": 38.1, "heart_rate": 92, "resp_rate": 18, "sbp": 124, "dbp": 78, "spo2": 97}),
        ("98.6, 88, 16, 120/80, 99%",
         {"temperature_c": 37.0, "heart_rate": 88, "resp_rate": 16, "sbp": 120, "dbp": 80, "spo2": 99}),
        ("124/78 92 18 97% 98.6",
         {"temperature_c": 37.0, "heart_rate": 92, "resp_rate": 18, "sbp": 124, "dbp": 78, "spo2": 97}),
        ("84/40-164-30-92% bagged",
         {"sbp": 84, "dbp": 40, "heart_rate": 164, "resp_rate": 30, "spo2": 92}),
        ("EF in 2019 30-35%, burns 10 20%, usual 20-25% less", {}),
        ("pain 8, 120/80, weight 98.6", {"pain": 8, "sbp": 120, "dbp": 80}),
        ("heart rate is 64", {"heart_rate": 64}),
        ("pulse 88, RR 22", {"heart_rate": 88, "resp_rate": 22}),
        ("heart rate 92, respiratory rate 24", {"heart_rate": 92, "resp_rate": 24}),
        ("RR 18 HR 99", {"resp_rate": 18, "heart_rate": 99}),
        ("tachycardic to 140", {"heart_rate": 140}),
        ("sats 91% RA", {"spo2": 91}),
        ("SpO2 100 %", {"spo2": 100}),
        ("O2 sat 97% on 2 L", {"spo2": 97}),
        ("94% on room air", {"spo2": 94}),
        ("T 101.2", {"temperature_c": 38.4}),
        ("fever 39,5 C", {"temperature_c": 39.5}),
        ("temp 101,2 F, HR 98,2 days of cough", {"temperature_c": 38.4, "heart_rate": 98}),
        ("sats 91,5 % RA", {"spo2": 91}),
        ("temp 38.5 C", {"temperature_c": 38.5}),
        ("T 98.6°F", {"temperature_c": 37.0}),
        ("temperature of 39", {"temperature_c": 39}),
        ("pain 8/10", {"pain": 8}),
        ("rates pain 7 out of 10", {"pain": 7}),
        ("Complaint: ABD PAIN. Vitals: BP 117/73, HR 95, RR 20, SpO2 100 %, T 36.6 °C, pain 8/10.",
         {"sbp": 117, "dbp": 73, "heart_rate": 95, "resp_rate": 20, "spo2": 100, "temperature_c": 36.6, "pain": 8}),
        ("GCS 13", {"gcs": 13}),
        ("FSBS 42", {"glucose": 42}),
    ],
)  # fmt: skip
def test_readings(text: str, expected: dict[str, float]) -> None:
    assert read_measures(text).values == expected


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("67-year-old man", 804),
        ("52F with cough", 624),
        ("19 y/o M", 228),
        ("9 mo boy", 9),
        ("18 month old", 18),
        ("3-week-old girl", 3 * 7 / 30.4375),
        ("5 day old", 5 / 30.4375),
        ("Woman of 65", 780),
        ("M, 58, dizzy", 696),
        ("fifty-three-year-old woman", 636),
        ("age 40", 480),
        ("a cough for 3 days", None),
    ],
)
def test_age(text: str, months: float | None) -> None:
    assert read(text).age_months == (pytest.approx(months) if months is not None else None)


@pytest.mark.parametrize(
    ("text", "sex", "arrival"),
    [
        ("cough, temp 101.2 F", None, None),
        ("cough since Monday, 101F at home", None, None),
        ("101 yo F, weak", "F", None),
        ("52F, BIBA, chest pain", "F", "ambulance"),
        ("A 30-year-old man walked in with a cough", "M", "walk-in"),
        ("Brought by helicopter, boy, 9", "M", "helicopter"),
        ("cough", None, None),
    ],
)
def test_sex_and_arrival(text: str, sex: str | None, arrival: str | None) -> None:
    findings = read(text)
    assert (findings.sex, findings.arrival) == (sex, arrival)


@pytest.mark.parametrize(
    ("text", "name", "status"),
    [
        ("chest pain", "chest-pain", "present"),
        ("denies chest pain", "chest-pain", "absent"),
        ("no fever, chills or chest pain", "chest-pain", "absent"),
        ("no fever, chest pain", "chest-pain", "present"),
        ("denies fever, chest pain", "chest-pain", "absent"),
        ("history of chest pain", "chest-pain", "past"),
        ("father has chest pain", "chest-pain", "family"),
        ("return if chest pain", "chest-pain", "hypothetical"),
        ("possible seizure", "seizure", "possible"),
        ("confused at baseline", "altered", "baseline"),
        ("refuses intubation", "intubated", "planned"),
        ("intubated on scene", "intubated", "present"),
    ],
)
def test_status(text: str, name: str, status: str) -> None:
    finding = read(text).get(name)
    assert finding is not None
    assert finding.status == status
    assert all(text[span.start : span.end] == span.text for span in finding.evidence)


def test_json_values_are_plain() -> None:
    plain = read("54 y/o M, chest pain. BP 150/90.").to_dict()
    assert plain["vitals"]["sbp"] == 150
    assert plain["items"][0]["status"] == "present"


@pytest.mark.parametrize(
    "between",
    [
        *("\n", "\n\n", ".\n", ")\n(", " \n- ", "\r\n", "\n\u2022 ", "\u2022", "\t", "\u00a0", "\u200b", "\u2028"),
        *(";", ",", ".", "...", "/", "+", " + ", "&", "|", "=", ":", "(", "->", "-", "\u2014", "!"),
    ],
)
def test_words_are_found_however_they_are_parted(between: str) -> None:
    """A note of several lines once lost the last word of each."""
    words = ("cough", "fever", "vomiting", "chest pain")
    told = {(item.name, item.status) for item in read(". ".join(words)).items}
    assert {"cough", "fever", "vomiting", "chest-pain"} <= {name for name, _ in told}
    assert {(item.name, item.status) for item in read(between.join(words)).items} == told


@pytest.mark.parametrize("race", ["White", "Black", "Asian", "Hispanic"])
@pytest.mark.parametrize(
    "note", ["{} woman, hand injury.", "5-year-old {} female, leg ache.", "{} man with ankle swelling, toes warm."]
)
def test_a_race_is_no_color_of_a_limb(race: str, note: str) -> None:
    plain = assess(note.format("").strip())
    decision = assess(note.format(race))
    assert (decision.level, decision.possible) == (plain.level, plain.possible)


@pytest.mark.parametrize(
    "text", ["the calf of a 39-year-old man became swollen", "the calf of this 39 y/o male became swollen"]
)
def test_words_that_tell_the_age_set_nothing_apart(text: str) -> None:
    def words_between(narrative: str) -> int:
        age = read_age_months(narrative)
        mentions = find_mentions(tokens_of(narrative), age[1] if age else None)
        limb = max(mention.ends for mention in mentions if narrative[mention.start : mention.end] == "calf")
        return min(m.begins for m in mentions if narrative[m.start : m.end] == "swollen") - limb

    assert words_between(text) == words_between("the calf became swollen") == 1


def test_the_order_of_the_conditions_for_level_1_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that hangs on a number which is not in the note hides none that holds."""
    notes = [note.narrative for number in ("01", "13", "125") for note in written_notes(number)]
    readings = [read(note) for note in notes]
    as_written = [decide(findings).level for findings in readings]
    turned = {name: replace(entry, immediate=entry.immediate[::-1]) for name, entry in entries().items()}
    monkeypatch.setattr(import_module("esi_triage.esi.decide.patient_facts"), "entries", lambda: turned)
    assert [decide(findings).level for findings in readings] == as_written
    assert as_written.count(1) > 10
