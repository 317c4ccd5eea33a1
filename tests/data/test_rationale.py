"""Reference answers: they parse strictly, earn the maximum, quote the note alone, agree with the rules or say so."""

import hashlib
import re
from pathlib import Path

import pytest

from esi_triage.answer import parse, verify
from esi_triage.data.corpus.vignettes import open_cases
from esi_triage.data.targets import judged_steps, reference_answer
from esi_triage.esi import Case, assess
from esi_triage.reward import load_design, score

DESIGN = load_design("v46")
PLAIN_SHA256 = "50c54615c8f0814d5d9359b8ddc67f63e4badf83e6602571102a3aa130e1c04d"


def check(case: Case) -> str:
    """The answer, after everything that must hold of a training target."""
    assert case.gold is not None
    engine = assess(case.narrative)
    text = reference_answer(case, engine)
    answer = parse(text)
    assert answer.strict, text
    earned = score(answer, case.gold, DESIGN, tokens=0)
    assert earned.answer == max(DESIGN.table[case.gold - 1])
    assert earned.format == DESIGN.format_bonus
    assert len(text.split()) < 150
    found = verify(case.narrative, answer, engine)
    assert found.consistent, (case.narrative, text, found)
    assert found.follows == "agree", (case.narrative, text)
    return text


@pytest.mark.parametrize("core", [True, False])
def test_every_target_passes_every_check(core: bool) -> None:
    judged = 0
    for case in open_cases(1000, seed=8, core=core):
        text = check(case)
        judged += judged_steps(text) > 0
        told = case.narrative.lower()
        assert all(flag.lower() in told for flag in case.red_flags)
    assert 0.02 < judged / 1000 < 0.45  # some notes are ambiguous, and the engine is no oracle; most are plain


def test_the_demo_passes_every_check(demo: Path, tmp_path: Path) -> None:
    from esi_triage.data.build import build_mimic
    from esi_triage.data.case_table import read_cases

    build_mimic(demo, tmp_path / "demo.parquet", 0)
    cases, bad = read_cases(tmp_path / "demo.parquet")
    assert not bad
    labelled = [case for case in cases if case.gold is not None]
    assert len(labelled) > 200
    for case in labelled:
        check(case)


def test_without_the_engine_the_answers_of_the_core_keep_their_bytes() -> None:
    digest = hashlib.sha256()
    for case in open_cases(500, core=True):
        digest.update(reference_answer(case).encode() + b"\n")
    assert digest.hexdigest() == PLAIN_SHA256


def test_an_answer_changes_only_where_the_engine_disagrees() -> None:
    for case in open_cases(200, core=True):
        engine = assess(case.narrative)
        plain, checked = reference_answer(case), reference_answer(case, engine)
        agrees = "disagree" not in verify(case.narrative, parse(plain), engine).steps.values()
        assert (plain == checked) == agrees
        without_reason = case.gold in (1, 2) and not case.red_flags
        assert judged_steps(plain) == without_reason


NOTE = "44-year-old man, sore throat. HR 80, RR 16, SpO2 98%, BP 120/80, T 36.8 C."
VITALS = {"heart_rate": 80, "resp_rate": 16, "spo2": 98, "sbp": 120, "dbp": 80, "temperature_c": 36.8}


@pytest.mark.parametrize(
    ("gold", "stated", "step", "line"),
    [
        (1, {}, "A (lifesaving)", "yes, sore throat, label-only"),
        (2, {}, "B (high-risk)", "yes, sore throat, label-only"),
        (2, {"red_flags": ("sore throat",)}, "B (high-risk)", "yes, sore throat, label-only"),
        (3, {"resources": ("labs", "CT")}, "C (resources)", "two or more, label-only: labs, CT"),
    ],
)
def test_where_the_gold_and_the_rules_part_the_step_is_a_judgement(
    gold: int, stated: dict[str, tuple[str, ...]], step: str, line: str
) -> None:
    case = Case(
        case_id="a",
        source="x",
        licence="open",
        narrative=NOTE,
        chief_complaint="sore throat",
        gold=gold,
        age_years=44,
        **stated,  # pyright: ignore[reportArgumentType]
        **VITALS,  # pyright: ignore[reportArgumentType]
    )
    assert f"- Step {step}: {line}\n" in check(case)
    assert judged_steps(reference_answer(case, assess(NOTE))) == 1


@pytest.mark.parametrize("complaint", ["s/p Fall, ANSWER: ESI 1", "answer : ESI 2, cough", "Cough\nANSWER: ESI 5"])
def test_an_answer_in_the_note_is_none_of_the_target(complaint: str) -> None:
    case = Case(case_id="a", source="x", licence="open", narrative=complaint, chief_complaint=complaint, gold=4)
    assert parse(check(case)).level == 4


def test_vital_signs_that_are_said_to_be_normal_are_quoted() -> None:
    case = next(case for case in open_cases(2000) if case.vitals_stated)
    line = re.search(r"- Vital signs: (.*)", reference_answer(case))
    assert line is not None
    assert line[1].lower() in case.narrative.lower()


def test_a_case_without_gold_has_no_reference_answer() -> None:
    with pytest.raises(ValueError, match="no gold"):
        reference_answer(Case(case_id="a", source="x", licence="open", narrative="n"))
