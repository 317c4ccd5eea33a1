"""Consistency of an answer: with its narrative, with the engine, and with itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esi_triage.answer import Reasoning, parse, verify, write

SICK = "70 y/o M, apneic and pulseless, CPR in progress. BP not obtainable, SpO2 70 %."
MINOR = "25 y/o F needs a prescription refill, feels well. HR 72, RR 14, SpO2 99 %, T 98.6 F, BP 118/74."


def answer(level: int, **lines: str) -> str:
    plain = {
        **{"chief_complaint": "as told", "vital_signs": "not recorded", "red_flags": "none"},
        **{"step_a": "no", "step_b": "no", "step_c": "none", "step_d": "within limits"},
    }
    return write(Reasoning(**{**plain, **lines}), level)


@pytest.mark.parametrize(
    ("narrative", "vitals", "unsupported"),
    [
        ("Pain 6, T98.9", "T 98.9, pain 6/10", ()),
        ("Pain 6", "pain 7/10", ("7",)),
        ("Pain 6", "HR 10, pain 6", ("10",)),
        (MINOR, "HR 72, BP 118/74", ()),
        (MINOR, "HR 112, BP 118/74", ("112",)),
        (MINOR, "T 37.0 °C", ()),  # 98.6 °F in the note
        (MINOR, "T 37.2 °C", ("37.2",)),
        ("T 38.5 C", "T 101.3 F", ()),
        ("T 101.3.", "T 38.5 °C", ()),  # the full stop ends the sentence, not the number
        (MINOR, "not recorded", ()),
        (SICK, "SpO2 70 %, HR 40", ("40",)),
    ],
)
def test_numbers_must_be_in_the_narrative(narrative: str, vitals: str, unsupported: tuple[str, ...]) -> None:
    assert verify(narrative, parse(answer(5, vital_signs=vitals))).unsupported == unsupported


@pytest.mark.parametrize(
    ("narrative", "lines", "step", "verdict"),
    [
        (SICK, {"step_a": "yes, no pulse"}, "step_a", "agree"),
        (SICK, {"step_a": "no"}, "step_a", "disagree"),
        (MINOR, {"step_a": "yes, dying"}, "step_a", "disagree"),
        (MINOR, {"step_b": "no"}, "step_b", "agree"),
        (MINOR, {"step_b": "not reached"}, "step_b", "undetermined"),
        (MINOR, {"step_b": "perhaps"}, "step_b", "undetermined"),
        (MINOR, {"step_c": "none"}, "step_c", "agree"),
        (MINOR, {"step_c": "two or more: CT, labs"}, "step_c", "disagree"),
        (SICK, {"step_c": "none"}, "step_c", "undetermined"),  # the engine never came to C
        (MINOR, {"step_a": "yes, looks ill, label-only"}, "step_a", "undetermined"),
        (SICK, {"step_a": "no, label-only"}, "step_a", "undetermined"),
        (MINOR, {"step_c": "two or more, label-only: CT, labs"}, "step_c", "undetermined"),
        (SICK, {"step_a": "no: angina, onset unknown"}, "step_a", "disagree"),  # nor is "n/a" in a word, or in a reason
        (MINOR, {"step_b": "n/a"}, "step_b", "undetermined"),
        (MINOR, {"step_b": "yes, cause unclear"}, "step_b", "disagree"),  # a claim, whatever the reason leaves open
    ],
)
def test_steps_against_the_engine(narrative: str, lines: dict[str, str], step: str, verdict: str) -> None:
    assert verify(narrative, parse(answer(5, **lines))).steps[step] == verdict


@pytest.mark.parametrize(
    ("level", "lines", "verdict"),
    [
        (1, {"step_a": "yes, no pulse"}, "agree"),
        (2, {"step_a": "yes, no pulse"}, "disagree"),
        (2, {"step_b": "yes, stroke signs"}, "agree"),
        (3, {"step_b": "yes, stroke signs"}, "disagree"),
        (3, {"step_c": "two or more: labs, CT"}, "agree"),
        (4, {"step_c": "one: x-ray"}, "agree"),
        (5, {"step_c": "none"}, "agree"),
        (3, {"step_c": "none"}, "disagree"),
        (2, {"step_c": "two or more", "step_d": "yes, HR 130"}, "agree"),
        (3, {"step_c": "cannot say"}, "undetermined"),
        (2, {"step_b": "yes, label-only"}, "agree"),  # a judgement leads to a level like a claim
        (3, {"step_b": "yes, label-only"}, "disagree"),
        (4, {"step_c": "one: closing the 2 cm tear, two weeks old"}, "agree"),
        (5, {"step_c": "none: prescription only, seen 2 months back"}, "agree"),
        (3, {"step_c": "two or more, label-only: labs, CT"}, "agree"),
        (5, {"step_c": "two or more, label-only: labs, CT"}, "disagree"),
    ],
)
def test_the_level_follows_from_its_own_steps(level: int, lines: dict[str, str], verdict: str) -> None:
    assert verify(MINOR, parse(answer(level, **lines))).follows == verdict


@pytest.mark.parametrize("mark", ["label-only", "judged so"])  # the second in answers written before 0.2
def test_label_only_steps_are_counted(mark: str) -> None:
    marked = answer(3, step_b="no", step_c=f"two or more, {mark}: labs, CT", step_d=f"no, {mark}")
    found = verify(MINOR, parse(marked))
    assert found.label_only == ("step_c", "step_d")
    assert found.to_dict()["label_only"] == ("step_c", "step_d")
    assert found.steps["step_c"] == found.steps["step_d"] == "undetermined"
    assert verify(MINOR, parse(answer(5))).label_only == ()


def test_the_rules_agree_with_themselves() -> None:
    from esi_triage.data.corpus.vignettes import open_cases
    from esi_triage.predict import ask, load_model, text_case

    notes = [case.narrative for case in open_cases(60)]
    for note, reply in zip(notes, ask(load_model("rules"), [text_case(note) for note in notes]), strict=True):
        found = verify(note, parse(reply.text))
        assert "disagree" not in found.steps.values(), (note, reply.text)
        assert found.follows != "disagree", (note, reply.text)


@given(st.text(max_size=200), st.text(max_size=200))
def test_never_raises(narrative: str, text: str) -> None:
    found = verify(narrative, parse(text + "ANSWER: ESI 3"))
    assert set(found.steps) == {"step_a", "step_b", "step_c", "step_d"}
    assert isinstance(found.to_dict()["consistent"], bool)
