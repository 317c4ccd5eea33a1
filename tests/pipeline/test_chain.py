"""The whole chain on the tiny base, at smoke size: data, warm start, GRPO, evaluation, report; then real input."""

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from esi_triage.data.build import build_mimic
from esi_triage.data.case_table import read_cases, write_cases
from esi_triage.data.corpus.vignettes import open_cases
from esi_triage.errors import InputError
from esi_triage.esi import Case
from esi_triage.evaluate.evaluation import evaluate_file
from esi_triage.predict import ask, load_model, text_case
from esi_triage.reproduce import find_data, held_out_cases, hold_tournament, in_order, reproduce_series
from esi_triage.reproduce.model_card_series import train_and_evaluate
from esi_triage.reproduce.series_data import refuse_what_the_base_read
from esi_triage.train.experiment import Experiment, load_experiment
from esi_triage.train.launch import start
from esi_triage.train.rows.drawn_cases import training_cases


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("series")
    report = reproduce_series("v43,v46", "tiny", "smoke", cases=24, output=output)
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
    for member in ("v43", "v46"):
        assert f'href="{member}/report.html"' in page
        assert (series / member / "report.html").is_file()
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


def test_a_tournament_that_was_stopped_goes_on_where_it_was(series: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hold(budget: float | None = None) -> Path:
        return hold_tournament("v43,v46", "tiny", "smoke", 24, series, seeds=2, budget=budget)

    def stopped(experiment: Experiment, output: Path, *more: Any) -> Any:
        if experiment.name == "v46" and output != series:
            raise KeyboardInterrupt
        return train_and_evaluate(experiment, output, *more)

    page = (series / "report.html").read_text(encoding="utf-8")
    with pytest.raises(InputError, match=r"v43 seed 2 comes first and is expected to take .* give more hours"):
        hold(budget=1e-7)
    with monkeypatch.context() as patched:
        patched.setattr("esi_triage.reproduce.tournament.train_and_evaluate", stopped)
        with pytest.raises(KeyboardInterrupt):
            hold()
    weights = [series / folder / "adapter" / "adapter_model.safetensors" for folder in ("v43", "v46", "seed-2/v43")]
    before = [file.stat().st_mtime_ns for file in weights]
    assert hold(budget=10) == series / "tournament.html"
    assert [file.stat().st_mtime_ns for file in weights] == before
    assert weights[0].read_bytes() != weights[2].read_bytes()  # another seed is another run
    told = json.loads((series / "tournament.json").read_text())
    assert [len(told["members"][name]["exact"]["seeds"]) for name in ("v43", "v46")] == [2, 2]
    assert told["left_out"] == []
    assert (series / "seed-2" / "report.html").is_file()
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
    notes = [text_case(note) for note in ("cough for two days", "chest pain, sweating, BP 88/60", "needs a refill")]
    assert ask(model, notes) == ask(model, notes)


def test_a_series_trains_parents_first() -> None:
    assert in_order("v47") == ["v43", "v46", "v47"]
    assert in_order("all") == ["v43", "v45c", "v46", "v47", "v48", "audited"]
    assert in_order("v46, v43") == ["v43", "v46"]
    with pytest.raises(InputError, match="no experiment"):
        in_order(" , ")


OWN = [
    case.model_copy(update={"licence": "credentialed", "source": "ours"}) for case in open_cases(300, seed=5, core=True)
]
HELD_OUT = [case for case in OWN if case.split == "held_out"]
CORPUS = load_experiment("v43").data


def table(file: Path, cases: list[Case]) -> Path:
    write_cases(cases, file)
    return file


def test_a_series_runs_on_a_case_table_and_takes_over_what_was_trained(tmp_path: Path) -> None:
    own, output = table(tmp_path / "own.parquet", OWN), tmp_path / "series"
    trained = start(load_experiment("v43", "tiny", "smoke", str(own)), output / "v43")
    before = (trained.adapter / "adapter_model.safetensors").stat().st_mtime_ns
    report = reproduce_series("v43", "tiny", "smoke", cases=8, output=output, data=str(own))
    assert (trained.adapter / "adapter_model.safetensors").stat().st_mtime_ns == before
    tested = read_cases(output / "held_out.parquet")[0]
    assert len(tested) == 8
    assert {case.case_id for case in tested} <= {case.case_id for case in HELD_OUT}
    assert json.loads((output / "v43" / "metrics.json").read_text())["n"] == 8
    page = report.read_text(encoding="utf-8")
    assert "own.parquet" in page
    assert not [case for case in tested if case.narrative[:60] in page]  # credentialed text enters no report
    with pytest.raises(InputError, match="another experiment"):  # a run on other data is not taken over
        reproduce_series("v43", "tiny", "smoke", cases=8, output=output)


def test_the_test_is_the_held_out_split_or_another_table(tmp_path: Path) -> None:
    own = table(tmp_path / "own.parquet", OWN)
    found = find_data(str(own), None, 10_000, CORPUS, tmp_path)
    assert (found.source, found.cases) == (str(own), HELD_OUT)
    assert (
        find_data(str(own), None, 10, CORPUS, tmp_path).cases == find_data(str(own), None, 10, CORPUS, tmp_path).cases
    )
    theirs = [case.model_copy(update={"source": "theirs", "split": None}) for case in HELD_OUT[:5]]
    other = table(tmp_path / "theirs.parquet", [*theirs, *(case for case in OWN if case.split != "held_out")])
    assert find_data(str(own), other, 10_000, CORPUS, tmp_path).cases == theirs
    found = find_data(None, other, 3, CORPUS, tmp_path)
    assert (found.source, len(found.cases)) == (None, 3)
    assert read_cases(found.file)[0] == found.cases


def test_a_table_that_cannot_test_is_named(tmp_path: Path) -> None:
    train = [case for case in OWN if case.split == "train"]
    with pytest.raises(InputError, match="no labelled row of the split held_out"):
        find_data(str(table(tmp_path / "train.parquet", train)), None, 9, CORPUS, tmp_path)
    torn = [*train, HELD_OUT[0].model_copy(update={"subject_id": train[0].subject_id})]
    with pytest.raises(InputError, match="in the training split"):
        find_data(str(table(tmp_path / "torn.parquet", torn)), None, 9, CORPUS, tmp_path)
    with pytest.raises(InputError, match="no such file"):
        find_data(str(tmp_path / "nowhere.parquet"), None, 9, CORPUS, tmp_path)


def test_a_visit_that_the_tiny_base_has_read_is_no_test_of_it() -> None:
    case = next(iter(open_cases(1, seed=5))).model_copy(update={"source": "nhamcs", "case_id": "nhamcs-2018-7-1"})
    with pytest.raises(InputError, match=r"'nhamcs-2018-7-1'.*--held-out 2019"):
        refuse_what_the_base_read("tiny", [case])
    refuse_what_the_base_read("smollm2", [case])
    refuse_what_the_base_read("tiny", [case.model_copy(update={"case_id": "nhamcs-2019-7-1"})])


def test_a_folder_is_taken_for_nhamcs_releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(folder: Path, output: Path) -> None:
        assert folder == tmp_path / "releases"
        write_cases(OWN, output)

    room = "esi_triage.data.nhamcs"
    for name, values in {
        room: {},
        f"{room}.nhamcs_build": {"build_nhamcs": build},
        f"{room}.nhamcs_download": {"fetch_nhamcs": None, "years_named": None},
    }.items():
        module = ModuleType(name)
        vars(module).update(values)
        monkeypatch.setitem(sys.modules, name, module)
    (tmp_path / "releases").mkdir()
    found = find_data(str(tmp_path / "releases"), None, 10_000, CORPUS, tmp_path / "out")
    assert (found.source, found.cases) == (str(tmp_path / "out" / "cases.parquet"), HELD_OUT)
