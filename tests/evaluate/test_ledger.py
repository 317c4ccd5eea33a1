"""The ledger beside a case set: nothing lost when many write, uses counted by version and model."""

import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from esi_triage.errors import InputError
from esi_triage.evaluate import ledger
from esi_triage.evaluate.identity import model_sha256
from esi_triage.evaluate.intervals import proportion

MEASURED = {"n": 36, "exact": proportion(28, 36)}


def _append_many(place: tuple[str, str]) -> None:
    file, model = place
    for _ in range(50):
        ledger.append(Path(file), "a" * 64, model, model * 64, MEASURED)


def test_entries_of_several_processes_are_all_kept_whole(tmp_path):
    cases = tmp_path / "cases.parquet"
    with ProcessPoolExecutor(4) as pool:
        list(pool.map(_append_many, [(str(cases), model) for model in "bcde"]))
    entries = ledger.read_ledger(cases)
    assert len(entries) == 200
    assert ledger.use_of(cases, "a" * 64) | {"first": None, "last": None} == {
        "scorings": 200,
        "models": 4,
        "first": None,
        "last": None,
        "other_versions": 0,
    }


def test_an_entry_says_set_model_time_and_result(tmp_path):
    cases = tmp_path / "cases.jsonl"
    ledger.append(cases, "s" * 64, "v46", "m" * 64, MEASURED)
    (entry,) = [json.loads(line) for line in (tmp_path / "cases.jsonl.ledger.jsonl").read_text().splitlines()]
    assert (entry["cases_sha256"], entry["model"], entry["model_sha256"], entry["n"]) == ("s" * 64, "v46", "m" * 64, 36)
    assert entry["exact"][0] == pytest.approx(28 / 36)
    assert entry["when"].endswith("+00:00")


def test_uses_of_another_version_of_the_file_count_apart(tmp_path):
    cases = tmp_path / "cases.jsonl"
    for sha256 in ("old", "old", "new"):
        ledger.append(cases, sha256, "rules", "r", MEASURED)
    use = ledger.use_of(cases, "new")
    assert (use["scorings"], use["models"], use["other_versions"]) == (1, 1, 2)


def test_a_line_that_a_crash_cut_off_does_not_swallow_the_next(tmp_path):
    cases = tmp_path / "cases.jsonl"
    file = ledger.ledger_of(cases)
    file.write_text('{"when": "2026-01-0')
    ledger.append(cases, "s", "rules", "r", MEASURED)
    assert json.loads(file.read_text().splitlines()[1])["model"] == "rules"
    with pytest.raises(InputError, match=r"line 1 is no ledger entry; remove that line"):
        ledger.check(cases)


def test_a_ledger_that_cannot_be_written_is_said_before_anything_is_answered(tmp_path):
    ledger.ledger_of(tmp_path / "cases.jsonl").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        ledger.check(tmp_path / "cases.jsonl")


def test_models_are_told_apart_by_weights_then_identity_then_name(tmp_path):
    for run, weights in (("one", b"1"), ("two", b"2"), ("copy", b"1")):
        (tmp_path / run / "adapter").mkdir(parents=True)
        (tmp_path / run / "adapter" / "adapter_model.safetensors").write_bytes(weights)
    one, two, copy = (model_sha256(str(tmp_path / run)) for run in ("one", "two", "copy"))
    assert one == copy != two
    assert model_sha256("m", "http://a") != model_sha256("m", "http://b") != model_sha256("m")
