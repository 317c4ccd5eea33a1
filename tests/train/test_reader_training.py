"""The reader's training: what it is taught, and that a resumed training ends in the same weights."""

from pathlib import Path

import pytest

from esi_triage.errors import InputError
from esi_triage.esi import Case
from esi_triage.train.reader.minilm import minilm_missing
from esi_triage.train.reader.settings import load_reader_experiment
from esi_triage.train.reader.texts import batches, lessons, soft_target


def case(gold: int, also_ok: tuple[int, ...] = ()) -> Case:
    return Case(case_id="1", source="t", licence="open", narrative="cough", gold=gold, also_ok=also_ok)


@pytest.mark.parametrize(
    ("gold", "also_ok", "expected"),
    [
        (2, (), (0, 1, 0, 0, 0)),
        (2, (3,), (0, 0.9, 0.1, 0, 0)),
        (3, (2, 4), (0, 0.05, 0.9, 0.05, 0)),
        (3, (3,), (0, 0, 1, 0, 0)),
    ],
)
def test_levels_that_a_colleague_could_defend_share_the_target(gold, also_ok, expected) -> None:
    assert soft_target(case(gold, also_ok), 0.1) == pytest.approx(expected)


def test_no_text_of_another_split_is_taught() -> None:
    from esi_triage.data.corpus.nurse_notes import nurse_notes

    data = load_reader_experiment().data.model_copy(update={"visits": 0, "vignettes": 0, "note_passes": 1})
    taught = {lesson.narrative for lesson in lessons(data, None, seed=1)}
    kept_apart = {note.narrative for note in nurse_notes() if note.split != "train"}
    assert taught
    assert not taught & kept_apart


def test_a_batch_order_is_a_permutation_and_the_same_for_the_same_seed() -> None:
    data = load_reader_experiment().data.model_copy(update={"visits": 0, "vignettes": 40, "notes": 60})
    taught = lessons(data, None, seed=3)
    order = batches(taught, 7, seed=3)
    assert sorted(lesson.narrative for batch in order for lesson in batch) == sorted(x.narrative for x in taught)
    assert order == batches(taught, 7, seed=3)


def test_visits_are_asked_for_where_the_experiment_wants_them() -> None:
    with pytest.raises(InputError, match=r"--data visits\.parquet"):
        lessons(load_reader_experiment().data, None, seed=1)


@pytest.mark.skipif(minilm_missing() is not None, reason=f"{minilm_missing()}")
def test_an_interrupted_training_ends_in_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from esi_triage.train.reader import training

    smoke = load_reader_experiment(profile="smoke")
    smoke = smoke.model_copy(update={"data": smoke.data.model_copy(update={"visits": 0})})
    whole = training.train_reader(smoke, None, tmp_path / "whole")

    class KilledError(Exception):
        pass

    keep = training._keep

    def kept_once(*args) -> None:
        keep(*args)
        raise KilledError

    monkeypatch.setattr(training, "_keep", kept_once)
    with pytest.raises(KilledError):
        training.train_reader(smoke, None, tmp_path / "cut")
    monkeypatch.setattr(training, "_keep", keep)
    again = training.train_reader(smoke, None, tmp_path / "cut")
    for name in ("adapter_model.safetensors", "head.safetensors", "words.safetensors"):
        assert (again / name).read_bytes() == (whole / name).read_bytes(), name

    other = smoke.model_copy(update={"seed": smoke.seed + 1})
    with pytest.raises(InputError, match="other settings or data"):
        training.train_reader(other, None, tmp_path / "cut")
