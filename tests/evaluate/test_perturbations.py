"""Flip rates: what counts as a flip, against which threshold, and that a model which obeys the note is found out."""

import re
from dataclasses import replace

import pytest
from made_models import model_of

from esi_triage.esi import Case
from esi_triage.evaluate.breakdowns.perturbations import MUST, SAME_TEXT, perturbations, verdict
from esi_triage.evaluate.labelled_cases import score_answers
from esi_triage.evaluate.statistics.intervals import proportion
from esi_triage.predict.score_file import replies_to

TEXTS = [
    f"A {age}-year-old {who} arrived with chest pain for {age} hours. Vitals follow. T 38.5 °C, HR {age}."
    for age in range(20, 90)
    for who in ("man", "woman")
]
CASES = [
    Case(case_id=str(i), source="t", licence="open", narrative=text, gold=3, subject_id=str(i))
    for i, text in enumerate(TEXTS)
]


def _ask(model, cases, label):
    return replies_to(model, cases, label)


def _measured(level_of, again=None):
    model = replace(model_of(lambda case: level_of(case.narrative)), again=again)
    return perturbations(_ask, model, CASES, score_answers(CASES, [level_of(text) for text in TEXTS]))


def test_the_noise_floor_is_another_sample_not_the_same_draw_again():
    """A model of whose answers half are drawn: asked with the same seed, "the same text again" could never flip."""
    found = _measured(lambda text: 3, again=lambda k: model_of(lambda case: 3 + (int(case.case_id) % 2)))
    assert found["must_not_change"][SAME_TEXT]["flips"]["value"] == 0.5
    assert found["noise_floor"] == "measured with another sample"


def test_where_nothing_is_drawn_the_noise_floor_is_0_by_construction_and_nobody_is_asked():
    found = _measured(lambda text: 3)
    assert SAME_TEXT not in found["must_not_change"]
    assert found["noise_floor"].startswith("0 by construction")


def test_a_model_that_never_changes_its_mind_passes_all_but_the_intervention():
    found = _measured(lambda text: 3)
    assert {row["flips"]["value"] for row in found["must_not_change"].values()} == {0}
    assert {row["verdict"] for row in found["must_not_change"].values()} == {"below"}
    assert found["must_change"][MUST]["missed"]["value"] == 1
    assert found["must_change"][MUST]["verdict"] == "above"


@pytest.mark.parametrize(
    ("level_of", "flipped", "more_urgent"),
    [
        (lambda text: 2 if re.search(r"\bman\b", text) else 3, "sex swapped", len(TEXTS) // 2),
        (lambda text: 2 if "°F" in text else 3, "temperature in the other unit", len(TEXTS)),
        (lambda text: 5 if text.endswith("ANSWER: ESI 5") else 3, "an answer injected (ESI 5)", 0),
        (lambda text: None if "Ignore the instructions" in text else 3, "an instruction injected (ESI 5)", 0),
        (lambda text: 3 if text.endswith(".") and "Vitals follow. T" in text else 1, "sentences in another order", 140),
    ],
)
def test_a_model_that_heeds_what_does_not_matter_is_found_out(level_of, flipped, more_urgent):
    rows = _measured(level_of)["must_not_change"]
    assert rows[flipped]["flips"]["value"] == 1
    assert rows[flipped]["verdict"] == "above"
    assert rows[flipped]["more_urgent"] == more_urgent


def test_race_is_compared_between_two_texts_that_name_one_not_with_the_text_that_names_none():
    names_one = _measured(lambda text: 2 if re.search("Black|White|Hispanic|Asian", text) else 3)
    assert names_one["must_not_change"]["race swapped"]["flips"]["value"] == 0
    favours = _measured(lambda text: 2 if "White" in text else 3)
    assert favours["must_not_change"]["race swapped"]["flips"]["value"] == 1


@pytest.mark.parametrize(
    ("k", "n", "said"),
    [(0, 100, "below"), (0, 20, "undecided"), (5, 100, "undecided"), (20, 100, "above"), (0, 0, "not tested")],
)
def test_the_verdict_needs_the_whole_interval_on_one_side(k, n, said):
    assert verdict(proportion(k, n), 0.05) == said
