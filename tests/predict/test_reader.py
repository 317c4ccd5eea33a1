"""The reader without PyTorch computes what transformers computes; long notes are read whole; bad files are named."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from esi_triage.errors import InputError
from esi_triage.esi import Case
from esi_triage.predict import ask
from esi_triage.predict.model import text_case
from esi_triage.predict.reader import find_reader, reader_model
from esi_triage.train.reader.minilm import minilm, minilm_missing
from esi_triage.train.reader.note_numbers import NUMBERS, numbers_of
from esi_triage.train.reader.settings import QUESTIONS, load_reader_experiment
from esi_triage.train.reader.words import curved, open_words

pytestmark = pytest.mark.skipif(minilm_missing() is not None, reason=f"{minilm_missing()}")
NOTES = [
    "65 M c/o chest pain x 2h, diaphoretic, HR 118 BP 88/50 SpO2 91% RA",
    "sore throat 3 days, T 37.2",
    "lac to L index finger, cut w/ kitchen knife, bleeding controlled. Tetanus utd. pain 3/10",
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reader whose weights are far from nothing: random, as no training of a test could make them."""
    import torch

    from esi_triage.train.reader.network import ReaderNetwork
    from esi_triage.train.reader.training import _save
    from esi_triage.train.reader.words import counted_texts, train_words

    smoke = load_reader_experiment(profile="smoke")
    torch.manual_seed(1)
    network = ReaderNetwork(minilm(), smoke)
    for name, weight in network.named_parameters():
        if "lora_" in name:
            weight.data = (0.05 * torch.randn_like(weight)).half().float()  # what the file can hold
    folder = tmp_path_factory.mktemp("reader")
    data = smoke.data.model_copy(update={"visits": 0, "notes": 60})
    train_words(counted_texts(data, None, 1), folder / "reader")
    return _save(network, smoke, folder, {})


def test_the_numbers_are_those_of_transformers(trained: Path) -> None:
    import torch

    from esi_triage.train.reader.network import Inputs, ReaderNetwork, load_trained

    network = ReaderNetwork(minilm(), load_reader_experiment(profile="smoke")).eval()
    load_trained(network, trained)
    with torch.inference_mode():
        encoded = network(*Inputs(minilm(), 256).of(NOTES))
    expected = {question: logits.log_softmax(-1) for question, logits in encoded.items()}
    numbers = np.array([numbers_of(note) for note in NOTES], np.float32)
    counted = torch.tensor(open_words(trained / "words.safetensors")["handbook"].scores(NOTES, curved(numbers)))
    expected["handbook"] = (expected["handbook"] + counted.log_softmax(-1)) / 2  # survey had no texts to count
    for question in QUESTIONS:
        replies = ask(reader_model(trained, question), [text_case(note, str(i)) for i, note in enumerate(NOTES)])
        found = np.array([reply.probabilities for reply in replies])
        assert np.abs(found - expected[question].softmax(-1).numpy()).max() < 1e-5
        assert [reply.level for reply in replies] == (found.argmax(1) + 1).tolist()


def test_a_scale_decides_which_question_is_asked(trained: Path) -> None:
    note = Case(case_id="1", source="t", licence="open", narrative=NOTES[0])
    by_scale = {scale: note.model_copy(update={"scale": scale}) for scale in ("esi", "us-5-level", "ktas")}
    answers = {scale: ask(reader_model(trained), [case])[0] for scale, case in by_scale.items()}
    survey, handbook = (ask(reader_model(trained, question), [by_scale["esi"]])[0] for question in QUESTIONS)
    assert answers == {"esi": handbook, "us-5-level": survey, "ktas": survey}
    assert handbook != survey


def test_answers_do_not_depend_on_the_company(trained: Path) -> None:
    model = reader_model(trained)
    together = ask(model, [text_case(note, str(i)) for i, note in enumerate(NOTES)])
    for note, reply in zip(NOTES, together, strict=True):
        alone = ask(model, [text_case(note)])[0]
        assert alone.probabilities == pytest.approx(reply.probabilities, abs=1e-5)


def test_a_long_note_is_read_to_its_end_and_says_so(trained: Path) -> None:
    model = reader_model(trained)
    filler = "pt resting comfortably, family at bedside. " * 60
    plain, other = (ask(model, [text_case(filler + end)])[0] for end in ("no complaints", "not breathing, blue lips"))
    assert "read in" in plain.warnings[0]
    assert plain.probabilities != other.probabilities


def test_numbers_are_what_the_note_states() -> None:
    none = numbers_of("pt here for med refill")
    assert len(none) == NUMBERS
    assert not any(none)
    assert numbers_of("HR 108") != numbers_of("HR 88 ")
    assert max(map(abs, numbers_of("80 F, HR 300, SpO2 30 %, T 45 °C"))) <= 4


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: (folder / "head.safetensors").unlink(), "head.safetensors: missing"),
        (lambda folder: _base(folder, "bert-base-uncased"), "bert-base-uncased"),
    ],
)
def test_a_folder_that_holds_no_reader_of_this_base_is_named(trained: Path, tmp_path: Path, damage, said: str) -> None:
    folder = shutil.copytree(trained, tmp_path / "reader")
    damage(folder)
    with pytest.raises(InputError, match=said):
        find_reader(f"reader:{folder}")


def _base(folder: Path, name: str) -> None:
    facts = json.loads((folder / "reader.json").read_text())
    (folder / "reader.json").write_text(json.dumps(facts | {"base": name}))


def test_altered_base_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = shutil.copytree(minilm(), tmp_path / "bases" / minilm().name)
    monkeypatch.setenv("ESI_CACHE", str(tmp_path))
    (place / "tokenizer.json").write_text("{}")
    with pytest.raises(InputError, match=r"tokenizer.json: sha256 .* Remove"):
        minilm()
