"""Slips of the keys are read as what was meant and stand as they were typed; denials and dates keep to their clause."""

import pytest

from esi_triage.esi import read
from esi_triage.esi.read.typos import mended


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("seizrue", "seizure"),
        ("wehezing", "wheezing"),
        ("hypotenssion", "hypotension"),
        ("unresponsve", "unresponsive"),
        ("loow", "low"),
        ("beach", "beach"),
        ("brian", "brian"),
        ("xqzzt", "xqzzt"),
        ("o2", "o2"),
    ],
)
def test_one_slip_is_mended_and_words_that_are_right_are_left(typed: str, meant: str) -> None:
    assert mended(typed) == meant


def test_evidence_is_what_was_typed() -> None:
    text = "44F - chest pian, sweatting."
    found = read(text).get("chest-pain")
    assert found is not None
    assert all(text[span.start : span.end] == span.text for span in found.evidence)
    assert "pian" in {span.text for span in found.evidence}


def test_a_misspelt_denial_denies() -> None:
    found = read("72 y/o M with cough, deniies chest pain.").get("chest-pain")
    assert found is not None
    assert found.status == "absent"


def test_a_denial_right_after_a_pseudo_trigger_denies() -> None:
    found = read("wound check no past history no fever").get("fever")
    assert found is not None
    assert found.status == "absent"


def test_a_time_beside_another_past_trouble_dates_that_one() -> None:
    dated = read("Opioid overdose. Treated for nosebleed 9 years ago.")
    assert dated.get("long-past") is None
    own = read("Overdose. It was months ago.").get("long-past")
    assert own is not None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("72M crushing chest pain, denied nausea.", "chest-pain"),
        ("Unresponsive, absent pulses.", "unresponsive"),
        ("Tourniquet on the leg, negative for rash.", "major-bleeding-control"),
        ("56M non-smoker, crushing chest pain.", "chest-pain"),
        ("Strep test negative, stiff neck.", "neck-stiffness"),
        ("Denies neck pain at triage pale and clammy.", "skin-signs"),
        ("Hypotension She moved here two years ago.", "hypotension"),
        ("Seen here last year, collapsed now.", "syncope"),
    ],
)
def test_a_denial_or_a_date_holds_for_its_own_clause(text: str, name: str) -> None:
    found = read(text).get(name)
    assert found is not None
    assert found.status == "present"


@pytest.mark.parametrize("text", ["Fever denied by mother.", "Chest pain: denied", "fever absent, cough"])
def test_a_denial_that_follows_denies(text: str) -> None:
    found = read(text).items[0]
    assert found.status == "absent"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("65M hx CAD, crushing chest pain.", "chest-pain"),
        ("70M history of stroke, slurred speech since nine.", "stroke-signs"),
        ("Previous MI, pale and clammy, chest pain.", "skin-signs"),
        ("Previously healthy, seizing.", "active-seizure"),
        ("34F hx of depression, took 30 tylenol.", "overdose"),
    ],
)
def test_a_past_history_does_not_swallow_todays_trouble(text: str, name: str) -> None:
    found = read(text).get(name)
    assert found is not None
    assert found.status == "present"


def test_a_list_of_past_illnesses_stays_past_beside_todays_trouble() -> None:
    found = read("Ankle sprain. PMH of HTN, seizures, DVT.")
    for name in ("seizure", "leg-dvt"):
        item = found.get(name)
        assert item is not None
        assert item.status == "past"
