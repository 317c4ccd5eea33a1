"""The reader's training: what it is taught, and that a resumed training ends in the same weights."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
import torch
from typer.testing import CliRunner

from esi_triage.cli.main import app
from esi_triage.data.case_table import write_cases
from esi_triage.data.corpus.vignettes import open_cases
from esi_triage.data.outcomes import OUTCOMES_SCHEMA, outcomes_path, write_outcomes
from esi_triage.errors import InputError
from esi_triage.esi import Case
from esi_triage.train.reader.minilm import minilm, minilm_missing
from esi_triage.train.reader.network import Inputs
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


@pytest.mark.skipif(minilm_missing() is not None, reason="the base's weights are not here")
def test_words_and_numbers_are_hidden_and_nothing_that_frames_them() -> None:
    torch.manual_seed(1)
    inputs = Inputs(minilm(), max_tokens=64)
    ids, mask, _ = inputs.of(["heart rate 118, chest tight since noon"] * 50 + ["cough"])
    hidden = inputs.masked(ids, 0.25)
    changed = hidden != ids
    words = (mask == 1) & (ids != ids[0, 0]) & (ids != ids[0, mask[0].sum() - 1])
    assert not (changed & ~words).any()
    assert changed.sum() / words.sum() == pytest.approx(0.25, abs=0.08)
    assert torch.equal(inputs.masked(ids, 0.0), ids)


def test_visits_are_asked_for_where_the_experiment_wants_them() -> None:
    with pytest.raises(InputError, match=r"--data visits\.parquet"):
        lessons(load_reader_experiment().data, None, seed=1)


def visits_of(folder: Path, levels: tuple[int, ...] = (2, 3, 4), split: str = "train") -> Path:
    """A table of visits on the survey's scale, ten of each level, with outcomes: a third of them critical."""
    cases = [case for case in open_cases(900, 1) if case.gold in levels]
    cases = [case for level in levels for case in [c for c in cases if c.gold == level][:10]]
    cases = [case.model_copy(update={"scale": "us-5-level", "split": split}) for case in cases]
    table = folder / "visits.jsonl"
    write_cases(cases, table)
    rows = [dict.fromkeys(OUTCOMES_SCHEMA.names) | {"case_id": c.case_id, "critical": c.gold == 2} for c in cases]
    write_outcomes(pa.Table.from_pylist(rows, OUTCOMES_SCHEMA), outcomes_path(table))
    return table


@pytest.mark.parametrize(
    ("old", "new", "times", "said"),
    [
        ('"train"', '"trian"', 1, r"row 1: .*trian.* \(1 bad rows in all\)"),
        ('"train"', '"tuning"', -1, "no row of the split train"),
    ],
)
def test_no_row_of_the_visits_is_dropped_in_silence(tmp_path: Path, old: str, new: str, times: int, said: str) -> None:
    from esi_triage.train.reader.risk import _sample
    from esi_triage.train.reader.words import counted_texts

    table = visits_of(tmp_path)
    table.write_text(table.read_text().replace(old, new, times))
    data = load_reader_experiment(profile="smoke").data
    for read in (lambda: lessons(data, table, 1), lambda: counted_texts(data, table, 1), lambda: _sample(table, 1)):
        with pytest.raises(InputError, match=said):
            read()


def test_visits_of_two_levels_are_refused_before_the_encoder_learns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from esi_triage.train.reader import training

    monkeypatch.setattr(training, "minilm", lambda: tmp_path)
    monkeypatch.setattr(training, "ReaderNetwork", lambda *_: pytest.fail("the encoder was begun"))
    with pytest.raises(InputError, match="question survey: its 20 training texts are of 2 levels"):
        training.train_reader(load_reader_experiment(profile="smoke"), visits_of(tmp_path, (2, 3)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", ["--profile smok", "--base zzz", "--log-to nothing"])
@pytest.mark.parametrize("name", ["reader", "risk"])
def test_an_option_that_cannot_be_taken_is_refused(name: str, option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = CliRunner().invoke(app, ["train", name, *option.split()])
    assert isinstance(found.exception, InputError)
    assert option.split()[1] in str(found.exception)
    monkeypatch.setenv("WORLD_SIZE", "2")
    found = CliRunner().invoke(app, ["train", name])
    assert "2 processes" in str(found.exception)


def test_risk_without_a_reader_is_refused(tmp_path: Path) -> None:
    from esi_triage.train.reader.risk import train_risk

    with pytest.raises(InputError, match=r"no trained reader. Run `esi train reader .* or give --parent"):
        train_risk(visits_of(tmp_path), tmp_path / "none" / "reader", tmp_path / "risk")


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
    assert (tmp_path / "cut" / "metrics.jsonl").read_text() == (tmp_path / "whole" / "metrics.jsonl").read_text()

    other = smoke.model_copy(update={"seed": smoke.seed + 1})
    with pytest.raises(InputError, match="other settings or data"):
        training.train_reader(other, None, tmp_path / "cut")

    from esi_triage.train.reader.risk import train_risk

    facts = train_risk(visits_of(tmp_path), again, tmp_path / "risk")  # a smoke reader's sizes, not the shipped one's
    assert (facts["critical"], facts["visits"]) == (10, 30)
    about = tmp_path / "cut" / "experiment.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | {"hidden": 7}))
    with pytest.raises(InputError, match=r"experiment\.json: not the experiment that trained"):
        train_risk(tmp_path / "visits.jsonl", again, tmp_path / "risk")
