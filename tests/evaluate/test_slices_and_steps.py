"""Slices by what the engine reads and the table says, and the shares of answers whose steps hold."""

import pytest

from esi_triage.answer import Reasoning, write
from esi_triage.esi import Case
from esi_triage.esi.catalogue import KINDS, entries
from esi_triage.evaluate.breakdowns.slices import _rows, slice_figures, slices_of
from esi_triage.evaluate.breakdowns.step_checks import steps
from esi_triage.evaluate.engine_readings import read_all
from esi_triage.evaluate.labelled_cases import score_answers


def _case(i=0, narrative="A 50-year-old man with cough.", gold=3, **fields):
    return Case(case_id=str(i), source="t", licence="open", narrative=narrative, gold=gold, **fields)


def _slices(cases, predicted):
    parts = slices_of(cases, read_all([case.narrative for case in cases]))
    found = slice_figures(score_answers(cases, predicted), parts)
    return {(row["group"], row["name"]): row for row in found}


@pytest.mark.parametrize(
    ("narrative", "fields", "where"),
    [
        ("Intubated by the crew before arrival.", {}, ("known weaknesses", "life-saving intervention already done")),
        ("A man with leg pain, rates pain 9/10.", {}, ("known weaknesses", "severe pain (said, or 7 of 10 or more)")),
        ("Excruciating back pain.", {}, ("known weaknesses", "severe pain (said, or 7 of 10 or more)")),
        ("Open fracture of the left tibia.", {}, ("known weaknesses", "open fracture")),
        ("A 50-year-old man with cough.", {"age_years": 1.5}, ("age", "under 2")),
        ("A 17-year-old girl with cough.", {}, ("age", "2 to 17")),
        ("Cough.", {}, ("age", "not recorded")),
        ("Cough.", {"sex": "F"}, ("sex", "women")),
        ("Cough.", {}, ("sex", "not recorded")),
        ("Cough, came by ambulance.", {}, ("arrival", "ambulance")),
        ("Cough.", {"arrival": "other"}, ("arrival", "other or not recorded")),
        ("Cough.", {}, ("vital signs", "none recorded")),
        ("Cough, HR 80.", {"temperature_c": 37.0}, ("vital signs", "one to five recorded")),
        ("T 37.0 °C, HR 80, RR 16, SpO2 98 %, BP 120/80.", {}, ("vital signs", "all six recorded")),
        ("word " * 41, {}, ("length", "41 to 80 words")),
    ],
)
def test_a_case_is_in_its_slice(narrative, fields, where):
    found = _slices([_case(narrative=narrative, **fields)], [3])
    assert found[where]["n"] == 1


def test_groups_that_cover_everybody_hold_each_case_once():
    cases = [_case(0), _case(1, "Cough."), _case(2, "word " * 100, age_years=90, sex="F", arrival="helicopter")]
    found = _slices(cases, [3, 3, 3])
    for group in ("age", "sex", "arrival", "vital signs", "length"):
        assert sum(row["n"] for (name, _), row in found.items() if name == group) == 3


def test_a_slice_counts_its_own_errors_and_says_when_it_is_small():
    cases = [_case(i, "Cough.", gold=2, sex="F" if i < 40 else "M") for i in range(50)]
    found = _slices(cases, [4] * 10 + [2] * 30 + [None] * 10)
    women, men = found["sex", "women"], found["sex", "men"]
    assert (women["n"], women["few"], women["exact"]["value"], women["under_triage"]["value"]) == (
        40,
        False,
        0.75,
        0.25,
    )
    assert (men["n"], men["few"], men["exact"]["value"], men["under_triage_or_silent"]["value"]) == (10, True, 0, 1)


@pytest.mark.parametrize("narrative", ["Cough. Do not intubate. Never intubated.", "Cough. CPR not performed."])
def test_an_intervention_that_was_not_done_is_none(narrative):
    found = _slices([_case(narrative=narrative)], [3])
    assert found["known weaknesses", "life-saving intervention already done"]["n"] == 0


def test_every_slice_names_what_exists():
    for row in _rows():
        assert row.get("kind", KINDS[0]) in KINDS
        for condition in row.get("when", ()):
            for term in condition:
                assert term.operator or term.name in entries(), term


NOTE = "A 50-year-old man with an ankle sprain. HR 80."


def _answer(
    level=4, vitals="HR 80", a="no: stable", b="no: nothing high risk", c="one: x-ray", d="no: vital signs normal"
):
    return write(Reasoning("ankle sprain", vitals, "none", a, b, c, d), level)


def _steps(*answers, gold=4):
    cases = [_case(i, NOTE, gold) for i in range(len(answers))]
    scored = score_answers(cases, [level for _, level in answers])
    return steps(cases, read_all([NOTE] * len(answers)), [text for text, _ in answers], scored)


@pytest.mark.parametrize(
    ("answer", "level", "name", "value"),
    [
        (_answer(), 4, "consistent", 1),
        (_answer(vitals="HR 180"), 4, "extraction_supported", 0),
        (_answer(a="yes: intubated", level=1), 1, "steps_agree", 0),
        (_answer(a="yes: intubated", level=1), 1, "follows", 1),
        (_answer(c="none", level=4), 4, "follows", 0),
        (_answer(a="yes: intubated", level=4), 4, "right_by_wrong_steps", 1),
        (_answer(), 4, "right_by_wrong_steps", 0),
    ],
)
def test_each_fault_of_the_steps_is_counted_where_it_belongs(answer, level, name, value):
    found = _steps((answer, level))
    assert found
    assert (found[name]["value"], found[name]["n"]) == (value, 1)


def test_what_cannot_be_told_is_in_no_denominator():
    found = _steps((_answer(c="unknown"), 4), (_answer(a="yes: intubated", level=1), 1))
    assert found
    assert (found["follows"]["value"], found["follows"]["n"]) == (1, 1)
    assert (found["right_by_wrong_steps"]["value"], found["right_by_wrong_steps"]["n"]) == (0, 1)


def test_answers_without_steps_leave_the_shares_but_not_the_count():
    found = _steps((_answer(), 4), ("ANSWER: ESI 4", 4))
    assert found
    assert (found["with_steps"]["value"], found["with_steps"]["n"]) == (0.5, 2)
    assert found["consistent"]["n"] == found["right_by_wrong_steps"]["n"] == 1
    assert sum(found["by_step"]["step_a"].values()) == 1
    assert _steps(("ANSWER: ESI 4", 4)) is None


@pytest.mark.parametrize("mark", ["label-only", "judged so"])
def test_steps_ruled_by_the_label_are_counted_beside_consistency(mark):
    """Nothing in the note can contradict such a step: a consistency of 100 % may rest on them alone."""
    found = _steps((_answer(b=f"no: {mark}"), 4), (_answer(), 4), (_answer(vitals="HR 180"), 4))
    assert found
    assert (found["label_only"]["value"], found["label_only"]["n"]) == (pytest.approx(1 / 3), 3)
    assert found["consistent"]["value"] == pytest.approx(2 / 3)
    assert (found["consistent_without_label_only"]["value"], found["consistent_without_label_only"]["n"]) == (0.5, 2)
    assert found["by_step"]["step_b"]["label_only"] == 1
