"""What ships fits together and is what its pages say."""

import json
from pathlib import Path

import pytest

from esi_triage.data.corpus.nurse_notes import nurse_notes
from esi_triage.esi import decide, read
from esi_triage.predict.guard.weighed_rules import findings_weights
from esi_triage.predict.load import load_model
from esi_triage.predict.model import ask, text_case
from esi_triage.predict.model_files import folder_of, shipped_folder, shipped_models
from esi_triage.train.reader.findings_weights import marks_of
from esi_triage.train.reader.minilm import minilm_missing

MOST = 5 * 1024 * 1024
PAGE = Path(__file__).parents[2] / "docs" / "models.md"


def test_each_model_is_small_and_has_its_card() -> None:
    assert {"reader", "risk", "findings"} <= set(shipped_models())
    for name in shipped_models():
        folder = shipped_folder() / name
        assert sum(file.stat().st_size for file in folder.iterdir()) < MOST, name
        assert "Not a medical device" in (folder / "README.md").read_text(encoding="utf-8")
        assert not list(folder.glob("*.bin")), "weights are safetensors"


def test_what_the_page_says_of_a_model_is_what_was_measured() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name, model in shipped_models().items():
        assert model.reached, name
        for where, what in model.reached.items():
            assert f"| {name} | {where} | {what} |" in page, (
                f"{name}, {where}: run benchmarks/shipped_models.py --write"
            )


@pytest.mark.skipif(minilm_missing() is not None, reason=f"{minilm_missing()}")
def test_the_guard_of_the_shipped_reader_is_calibrated() -> None:
    notes = ["22 y/o F, twisted ankle, walking. HR 70, RR 14", "65 M found pulseless, CPR in progress"]
    ankle, arrest = ask(load_model("guard"), [text_case(note, str(i)) for i, note in enumerate(notes)])
    for reply in (ankle, arrest):
        assert reply.probabilities is not None
        assert reply.level in (reply.level_set or ())
        assert "uncalibrated" not in reply.hand_over
    assert (ankle.level or 0) > (arrest.level or 9)
    calibration = json.loads((shipped_folder() / "reader" / "calibration.json").read_text(encoding="utf-8"))
    assert calibration["n"] == sum(calibration["by_level"])


@pytest.mark.skipif(minilm_missing() is not None, reason=f"{minilm_missing()}")
def test_a_folder_of_the_same_name_does_not_stand_in_the_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("reader", "findings"):
        Path(name).mkdir()
        (reply,) = ask(load_model(name), [text_case("65 M found pulseless, CPR in progress")])
        assert reply.level == 1
        assert folder_of(name) == shipped_folder() / name


def test_calibrations_and_rules_are_those_of_the_findings_weights_that_ship() -> None:
    weights = findings_weights()
    for name in ("reader", "findings"):
        calibration = json.loads((shipped_folder() / name / "calibration.json").read_text(encoding="utf-8"))
        assert calibration["findings_sha256"] == weights.sha256, name
    notes = [note for note in nurse_notes() if note.split == "train"][:300]
    readings = [read(note.narrative) for note in notes]
    made = [mark for findings in readings for mark in marks_of(findings, decide(findings))]
    known = sum(mark in weights.marks for mark in made) / len(made)
    assert known > 0.97, "the rules have changed what they say: esi train findings, then esi calibrate"
