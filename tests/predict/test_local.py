"""A language model on this machine: a run that was cut short gives the replies that it would have given in one go."""

from dataclasses import replace
from typing import Any

import pytest

from esi_triage.answer import load_prompt
from esi_triage.data.open_corpus import open_cases
from esi_triage.predict.local import Protocol, generate_replies, local_model
from esi_triage.train.base import load_base

NOTES = [case.narrative for case in open_cases(7, seed=4, core=True)]
PROTOCOL = Protocol(max_new_tokens=4, batch_size=2, temperature=1.5)

Batches = list[list[tuple[int, str]]]


@pytest.fixture(scope="module")
def base() -> Any:
    return load_base("tiny", smoke=True)


@pytest.fixture(scope="module")
def in_one_go(base: Any) -> Batches:
    return generated(base, NOTES)


def generated(base: Any, notes: list[str], protocol: Protocol = PROTOCOL) -> Batches:
    batches = generate_replies(base[0], base[1], notes, load_prompt(), protocol)
    return [[(place, reply.text) for place, reply in batch] for batch in batches]


def test_each_note_is_answered_once_in_batches_of_like_length(in_one_go: Batches) -> None:
    places = [place for batch in in_one_go for place, _ in batch]
    assert [len(batch) for batch in in_one_go] == [2, 2, 2, 1]
    assert places == sorted(range(7), key=lambda i: len(NOTES[i]), reverse=True)


def test_what_is_left_is_answered_as_in_one_go(base: Any, in_one_go: Batches) -> None:
    done = {place for batch in in_one_go[:2] for place, _ in batch}
    left = [place for place in range(7) if place not in done]
    resumed = [[(left[i], text) for i, text in batch] for batch in generated(base, [NOTES[i] for i in left])]
    assert resumed == in_one_go[2:]


def test_the_seed_decides_the_replies(base: Any, in_one_go: Batches) -> None:
    assert generated(base, NOTES, replace(PROTOCOL, seed=1)) != in_one_go


def test_asked_again_the_weights_are_the_same_and_the_seed_is_not(base: Any) -> None:
    model = local_model(base[0].name_or_path, seed=3)
    assert model.again is not None
    second = model.again(1)
    assert (model.settings["decoding"]["seed"], second.settings["decoding"]["seed"]) == (3, 4)
    assert {**model.settings, "decoding": None} == {**second.settings, "decoding": None}
    assert model.identity != second.identity
