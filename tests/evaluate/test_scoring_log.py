"""The scoring log beside a case set: nothing lost when many write, uses counted by version and model."""

import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from esi_triage.errors import InputError
from esi_triage.evaluate import scoring_log
from esi_triage.evaluate.scoring_log import entry_of
from esi_triage.evaluate.statistics.intervals import proportion
from esi_triage.predict.model_files import model_sha256

MEASURED = {"n": 36, "exact": proportion(28, 36)}


def _append_many(place: tuple[str, str]) -> None:
    file, model = place
    for _ in range(50):
        scoring_log.append(Path(file), entry_of("a" * 64, model, model * 64, MEASURED))


def test_entries_of_several_processes_are_all_kept_whole(tmp_path):
    cases = tmp_path / "cases.parquet"
    with ProcessPoolExecutor(4) as pool:
        list(pool.map(_append_many, [(str(cases), model) for model in "bcde"]))
    entries = scoring_log.read_log(cases)
    assert len(entries) == 200
    assert scoring_log.use_of(cases, "a" * 64) | {"first": None, "last": None} == {
        "scorings": 200,
        "models": 4,
        "first": None,
        "last": None,
        "other_versions": 0,
    }


def test_an_entry_says_set_model_time_and_result(tmp_path):
    cases = tmp_path / "cases.jsonl"
    scoring_log.append(cases, entry_of("s" * 64, "v46", "m" * 64, MEASURED))
    (entry,) = [json.loads(line) for line in (tmp_path / "cases.jsonl.scoring_log.jsonl").read_text().splitlines()]
    assert (entry["cases_sha256"], entry["model"], entry["model_sha256"], entry["n"]) == ("s" * 64, "v46", "m" * 64, 36)
    assert entry["exact"][0] == pytest.approx(28 / 36)
    assert entry["when"].endswith("+00:00")


def test_uses_of_another_version_of_the_file_count_apart(tmp_path):
    cases = tmp_path / "cases.jsonl"
    for sha256 in ("old", "old", "new"):
        scoring_log.append(cases, entry_of(sha256, "rules", "r", MEASURED))
    use = scoring_log.use_of(cases, "new")
    assert (use["scorings"], use["models"], use["other_versions"]) == (1, 1, 2)


def test_a_log_of_an_earlier_version_counts(tmp_path):
    cases = tmp_path / "cases.jsonl"
    scoring_log.append(cases, entry_of("s", "rules", "r", MEASURED))
    scoring_log.log_of(cases).rename(tmp_path / "cases.jsonl.ledger.jsonl")
    scoring_log.append(cases, entry_of("s", "rules", "r", MEASURED))
    assert scoring_log.use_of(cases, "s", now=entry_of("s", "other", "o", MEASURED))["scorings"] == 3


def test_a_line_that_a_crash_cut_off_does_not_swallow_the_next(tmp_path):
    cases = tmp_path / "cases.jsonl"
    file = scoring_log.log_of(cases)
    file.write_text('{"when": "2026-01-0')
    scoring_log.append(cases, entry_of("s", "rules", "r", MEASURED))
    assert json.loads(file.read_text().splitlines()[1])["model"] == "rules"
    with pytest.raises(InputError, match=r"line 1 is no entry; remove that line"):
        scoring_log.check_writable(cases)


def test_a_log_that_cannot_be_written_is_said_before_anything_is_answered(tmp_path):
    scoring_log.log_of(tmp_path / "cases.jsonl").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        scoring_log.check_writable(tmp_path / "cases.jsonl")


def test_models_are_told_apart_by_weights_then_identity_then_name(tmp_path):
    for run, weights in (("one", b"1"), ("two", b"2"), ("copy", b"1")):
        (tmp_path / run / "adapter").mkdir(parents=True)
        (tmp_path / run / "adapter" / "adapter_model.safetensors").write_bytes(weights)
    one, two, copy = (model_sha256(str(tmp_path / run)) for run in ("one", "two", "copy"))
    assert one == copy != two
    assert model_sha256("m", "http://a") != model_sha256("m", "http://b") != model_sha256("m")
