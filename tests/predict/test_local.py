"""A language model on this machine: a run that was cut short gives the replies that it would have given in one go."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from esi_triage.answer import load_prompt
from esi_triage.data.corpus.vignettes import open_cases
from esi_triage.predict import ask, language_model, load, text_case
from esi_triage.predict.language_model import (
    Protocol,
    generate_replies,
    local_model,
)
from esi_triage.predict.model_files import calibration_beside
from esi_triage.train.base_models import load_base, render_prompt
from esi_triage.train.rollouts.completions import Completion
from esi_triage.train.rollouts.digits import answer_place

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


TWO_ANSWERS = "Temperature 38.5 °C 🤒. ANSWER: ESI 2\nANSWER: ESI 5"


@pytest.mark.parametrize(
    ("text", "before"),
    [
        (TWO_ANSWERS, "Temperature 38.5 °C 🤒. ANSWER: ESI "),
        ("<think>ANSWER: ESI 4</think>ANSWER: ESI 1", "<think>ANSWER: ESI 4</think>ANSWER: ESI "),
        ("It may be ESI 3 or so", "It may be ESI "),
        ("no level", None),
    ],
)
def test_the_digit_is_the_one_that_was_parsed(base: Any, text: str, before: str | None) -> None:
    _, tokenizer = base
    ids = tokenizer.encode(text, add_special_tokens=False)
    place = answer_place(tokenizer, ids, text)
    assert (None if place is None else tokenizer.decode(ids[:place])) == before


def test_two_answers_have_the_probabilities_of_the_first(base: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are those that stood before the digit of the first answer, whatever the model gave to later digits."""
    _, tokenizer = base
    ids = tokenizer.encode(TWO_ANSWERS, add_special_tokens=False)
    place = answer_place(tokenizer, ids, TWO_ANSWERS)
    assert place is not None
    watched = torch.randn(len(ids), 5, generator=torch.Generator().manual_seed(1))
    monkeypatch.setattr(language_model, "complete_prompts", lambda *_: [Completion(ids, watched)])
    protocol = Protocol(max_new_tokens=99, temperature=0.1, do_sample=True, batch_size=1, seed=0)
    (reply,) = language_model._batch(base[0], tokenizer, ["cough"], protocol)
    assert reply.probabilities == pytest.approx(torch.softmax(watched[place], dim=-1).tolist(), abs=1e-6)


def test_the_tiny_base_says_that_it_is_a_toy(base: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language_model, "load_base", lambda name, smoke=False: base)
    assert local_model("tiny").notice == "tiny base: shows the mechanism; not a model of triage"
    assert local_model("somebody/a-model").notice is None


def test_without_a_chain_the_digit_has_the_probabilities_that_it_has_after_the_answers_beginning(base: Any) -> None:
    model, tokenizer = base
    fast = local_model(model.name_or_path, fast=True)
    cases = [text_case(note, str(i)) for i, note in enumerate(NOTES[:3])]
    replies = ask(fast, cases)
    for case, reply in zip(cases, replies, strict=True):
        beginning, digits = language_model._answer_beginning(tokenizer, "tiny")
        ids = tokenizer(render_prompt(tokenizer, case.narrative, load_prompt()) + beginning, return_tensors="pt")
        logits = model(input_ids=ids["input_ids"]).logits[0, -1, digits]
        assert reply.probabilities is not None
        assert reply.probabilities == pytest.approx(torch.softmax(logits.float(), -1).tolist(), abs=1e-4)
        assert reply.level == reply.probabilities.index(max(reply.probabilities)) + 1
        assert reply.tokens == 0
    assert fast.again is None
    assert fast.identity != local_model(model.name_or_path).identity


def test_answers_with_and_without_a_chain_have_calibrations_of_their_own(base: Any, tmp_path: Path) -> None:
    """Their probabilities are others, so that the one's temperature would be wrong for the other."""
    spec = base[0].name_or_path
    with_chain, without = (load._hash(spec, local_model(spec, fast=fast)) for fast in (False, True))
    assert with_chain != without
    for name in ("calibration.json", "calibration.fast.json"):
        (tmp_path / name).touch()
    assert calibration_beside(str(tmp_path)) == tmp_path / "calibration.json"
    assert calibration_beside(str(tmp_path), fast=True) == tmp_path / "calibration.fast.json"


def test_answers_at_one_time_leave_the_weights_as_they_were(base: Any) -> None:
    """A service may ask from several threads; while one writes in bfloat16, the weights are others."""
    model = base[0]
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    protocol = replace(PROTOCOL, bf16=True)
    with ThreadPoolExecutor(4) as pool:
        for found in [pool.submit(generated, base, NOTES[:3], protocol) for _ in range(4)]:
            found.result()
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())


def test_another_base_in_the_same_folder_is_another_model(base: Any, tmp_path: Path) -> None:
    model, tokenizer = base
    identities = []
    for change in (0.0, 0.5):
        with torch.no_grad():
            model.model.norm.weight += change
        model.save_pretrained(tmp_path)
        tokenizer.save_pretrained(tmp_path)
        identities.append(local_model(str(tmp_path)).identity)
        with torch.no_grad():
            model.model.norm.weight -= change
    assert identities[0] != identities[1]
