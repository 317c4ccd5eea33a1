"""The open corpus: deterministic, complete, and every reference answer passes the real parser and scorer."""

import re
from collections import Counter
from itertools import islice

import pytest

from esi_triage.answer import parse
from esi_triage.data.open_corpus import PRIOR, open_cases, presentations
from esi_triage.data.rationale import reference_answer
from esi_triage.data.sampling import class_shares, oversampled
from esi_triage.data.split import split_of
from esi_triage.esi import VITALS_BY_NAME, Case
from esi_triage.reward import load_design, score

CASES = list(open_cases(3000))


def test_the_same_seed_gives_the_same_cases_whatever_n() -> None:
    assert list(open_cases(50)) == CASES[:50]
    assert list(islice(open_cases(10**9), 5)) == CASES[:5]  # streamed
    assert list(open_cases(5, seed=1)) != CASES[:5]


def test_all_levels_and_all_presentations_occur() -> None:
    assert class_shares(CASES) == pytest.approx(PRIOR, abs=0.03)
    found = {tag for case in CASES for tag in case.tags if tag.startswith("presentation:")}
    assert found == {f"presentation:{p.name}" for p in presentations()}
    assert len(found) >= 90


def test_each_case_is_whole() -> None:
    assert len({case.case_id for case in CASES}) == len(CASES)
    for case in CASES:
        assert case.chief_complaint is not None
        assert case.chief_complaint in case.narrative
        assert "ESI" not in case.narrative
        assert not re.search(r"(BP|HR|RR|SpO2|T|pain|/)\s?None", case.narrative)
        assert case.licence == "open"
        for name, sign in VITALS_BY_NAME.items():
            value = getattr(case, name)
            assert value is None or sign.plausible(value), (case.case_id, name, value)
        assert case.dbp is None or case.sbp is None or case.dbp < case.sbp


def test_what_was_not_measured_is_said() -> None:
    for case in CASES:
        assert (case.spo2 is None) == (
            "SpO2 not recorded" in case.narrative or "signs not recorded" in case.narrative.lower()
        )
    missing = Counter(case.gold for case in CASES if case.heart_rate is None)
    assert missing[1] / sum(case.gold == 1 for case in CASES) > 0.2  # the sickest go straight to the bay


def test_some_notes_are_truly_ambiguous() -> None:
    without = [case for case in CASES if not any(tag.startswith("flag:") for tag in case.tags)]
    assert 0.25 < len(without) / len(CASES) < 0.35


def test_every_reference_answer_parses_strictly_and_earns_the_maximum() -> None:
    design = load_design("v46")
    for case in CASES:
        assert case.gold is not None
        text = reference_answer(case)
        answer = parse(text)
        assert answer.strict, text
        found = score(answer, case.gold, design, tokens=0)
        assert found.answer == max(design.table[case.gold - 1])
        assert found.format == design.format_bonus
        assert len(text.split()) < 150


def test_reference_answers_quote_only_what_the_note_says() -> None:
    for case in CASES:
        narrative = case.narrative.lower()
        for flag in (tag.removeprefix("flag:") for tag in case.tags if tag.startswith("flag:")):
            assert flag.lower() in narrative
        if not any(tag.startswith("flag:") for tag in case.tags):
            assert "none stated" in reference_answer(case)


def test_a_case_without_gold_has_no_reference_answer() -> None:
    with pytest.raises(ValueError, match="no gold"):
        reference_answer(Case(case_id="a", source="x", licence="open", narrative="n"))


def test_splits_are_by_patient_and_of_the_stated_size() -> None:
    shares = Counter(split_of(f"patient-{i}") for i in range(20_000))
    assert shares["held_out"] / 20_000 == pytest.approx(0.1, abs=0.01)
    assert shares["tuning"] / 20_000 == pytest.approx(0.1, abs=0.01)
    assert split_of("10014729") == split_of("10014729")


def test_oversampling_draws_by_weight() -> None:
    drawn = oversampled(CASES, {1: 20.0}, n=20_000, seed=3)
    weight = {k: PRIOR[k] * (20 if k == 1 else 1) for k in PRIOR}
    expected = {k: w / sum(weight.values()) for k, w in weight.items()}
    assert class_shares(drawn) == pytest.approx(expected, abs=0.03)
    assert drawn == oversampled(CASES, {1: 20.0}, n=20_000, seed=3)
