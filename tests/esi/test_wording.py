"""Phrases read one by one without the language pipeline, and the spellings of a phrase."""

import random

import pytest

from esi_triage.data.corpus.catalogue_scenarios import catalogue_presentations
from esi_triage.esi import read
from esi_triage.esi.read.complaint_entries import names_in, sets_a_context


def test_a_phrase_names_what_a_note_of_that_phrase_names() -> None:
    phrases = sorted({complaint for each in catalogue_presentations() for complaint in each.complaint})
    for phrase in random.Random(0).sample(phrases, 300):
        assert names_in(phrase) == {item.name for item in read(phrase).items}, phrase


def test_a_trigger_sets_a_context() -> None:
    assert sets_a_context("no pulse")
    assert sets_a_context("chest pain two years ago")
    assert not sets_a_context("crushing chest pain")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("haematemesis", "gi-bleeding"),
        ("hand cold & grey after the fall", "cold-limb"),
        ("massive haemorrhage", "massive-bleed-words"),
        ("oedema of both legs", "leg-swelling"),
    ],
)
def test_abbreviations_and_both_sides_of_the_atlantic_are_read(text: str, name: str) -> None:
    found = read(text).get(name)
    assert found is not None
    assert found.status == "present"


def test_what_holds_american_letters_by_chance_is_left() -> None:
    from esi_triage.esi.read.vocabulary import vocabulary

    assert not [p for phrases in vocabulary().values() for p in phrases if "chaemo" in p or "ooedema" in p]
