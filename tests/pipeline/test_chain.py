"""The whole chain on the tiny base, at smoke size: data, warm start, GRPO, evaluation, report; then real input."""

import json
import time
from pathlib import Path

import pytest

from esi_triage.data.build import build_mimic
from esi_triage.data.table import read_cases
from esi_triage.errors import InputError
from esi_triage.evaluate.evaluation import evaluate_file
from esi_triage.predict import load_model
from esi_triage.reproduce import held_out_cases, in_order, reproduce_series
from esi_triage.train.examples import training_cases
from esi_triage.train.experiment import load_experiment


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("series")
    started = time.monotonic()
    report = reproduce_series("v43,v46", "tiny", "smoke", cases=24, output=output)
    assert time.monotonic() - started < 300
    assert report == output / "report.html"
    return output


def test_every_member_leaves_a_run_and_an_evaluation(series: Path) -> None:
    for name in ("v43", "v46"):
        files = {path.name for path in (series / name).iterdir()}
        assert {"experiment.toml", "environment.json", "adapter", "metrics.jsonl", "predictions.parquet"} <= files
        measured = json.loads((series / name / "metrics.json").read_text())
        assert measured["n"] == measured["exact"]["n"] == 24
    logged = [json.loads(line) for line in (series / "v46" / "metrics.jsonl").read_text().splitlines()]
    for part in ("answer", "format", "length"):
        assert f"rewards/{part}/mean" in logged[0]
    assert (series / "v46" / "completions").is_dir()


def test_the_report_opens_offline_and_says_what_it_is(series: Path) -> None:
    page = (series / "report.html").read_text(encoding="utf-8")
    assert "Not a medical device" in page
    assert "not about patients" in " ".join(page.split())
    assert "v46, model card" in page
    assert "77.8 % (62 to 88)" in page
    assert "always ESI-" in page
    assert 'src="http' not in page
    assert 'href="http' not in page
    assert {p.name for p in (series / "figures").iterdir()} >= {
        "v46-shares.png",
        "v46-rewards.png",
        "v43-confusion.png",
    }


def test_a_second_call_trains_nothing_and_gives_the_same_report(series: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in series.rglob("adapter_model.safetensors")}
    page = (series / "report.html").read_text(encoding="utf-8")
    reproduce_series("v43,v46", "tiny", "smoke", cases=24, output=series)
    assert {path: path.stat().st_mtime_ns for path in series.rglob("adapter_model.safetensors")} == before
    assert (series / "report.html").read_text(encoding="utf-8") == page


def test_held_out_cases_are_in_no_training_data(series: Path) -> None:
    held_out = read_cases(series / "held_out.parquet")[0]
    assert {case.split for case in held_out} == {"held_out"}
    trained = {case.subject_id for name in ("v43", "v46") for case in training_cases(load_experiment(name))}
    assert not trained & {case.subject_id for case in held_out}
    assert held_out_cases(24, load_experiment("v43").data, series / "held_out.parquet") == held_out


def test_the_trained_model_runs_on_real_input(series: Path, demo: Path, tmp_path: Path) -> None:
    build_mimic(demo, tmp_path / "demo.parquet", seed=0)
    result, bad, unlabelled = evaluate_file(
        load_model(str(series / "v46")), tmp_path / "demo.parquet", tmp_path / "out"
    )
    assert (result.metrics["n"], unlabelled, bad) == (207, 15, [])
    assert "chest pain" not in (tmp_path / "out" / "report.html").read_text(encoding="utf-8").lower()  # no row text


def test_answers_are_the_same_for_the_same_seed(series: Path) -> None:
    model = load_model(str(series / "v43"))
    notes = ["cough for two days", "chest pain, sweating, BP 88/60", "needs a refill"]
    assert model.answer(notes, lambda _: None) == model.answer(notes, lambda _: None)


def test_a_series_trains_parents_first() -> None:
    assert in_order("v47") == ["v43", "v46", "v47"]
    assert in_order("all") == ["v43", "v45c", "v46", "v47", "v48", "audited"]
    assert in_order("v46, v43") == ["v43", "v46"]
    with pytest.raises(InputError, match="no experiment"):
        in_order(" , ")
