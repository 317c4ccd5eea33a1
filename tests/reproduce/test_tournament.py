"""The tournament: its queue, what fits into a budget, what is predicted, and its report."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from made_tournament import made_tournament

from esi_triage.errors import InputError
from esi_triage.evaluate.report.predicted_shares import SharePrediction
from esi_triage.reproduce import tournament
from esi_triage.reproduce.model_card_series import ALL
from esi_triage.reproduce.predicted_levels import LevelShare, level_shares, prediction_quality
from esi_triage.reproduce.run_times import RunTimes, hours_and_minutes, step_seconds
from esi_triage.reproduce.series_data import SeriesData
from esi_triage.reproduce.tournament import fitting, queue_of
from esi_triage.reproduce.tournament_report import write_tournament_report
from esi_triage.train.experiment import Experiment, load_experiment
from esi_triage.train.run import Run, begin


def test_the_queue_goes_seed_by_seed_and_the_first_seed_is_the_ordinary_series(tmp_path: Path) -> None:
    members = [load_experiment(name) for name in ("v43", "v46", "v47")]
    queue = queue_of(members, tmp_path, 3)
    assert [str(entry) for entry in queue[:4]] == ["v43 seed 1", "v46 seed 1", "v47 seed 1", "v43 seed 2"]
    assert [entry.experiment for entry in queue[:3]] == members
    assert [entry.run.folder for entry in queue[2:4]] == [tmp_path / "v47", tmp_path / "seed-2" / "v43"]
    assert len({entry.experiment.seed for entry in queue}) == 9


def test_the_help_lists_all_members() -> None:
    from typing import get_type_hints

    from esi_triage.cli.training.reproduce import reproduce

    option = get_type_hints(reproduce, include_extras=True)["series"].__metadata__[0]
    assert f"all ({','.join(ALL)})" in option.help


def test_a_budget_takes_the_first_runs_that_end_in_time(tmp_path: Path) -> None:
    _, queue, _ = made_tournament(tmp_path, 3, 40)
    times = RunTimes(tmp_path / "times.json", cases=0)
    for entry in queue[:3]:  # measured: v43 20 s, v45c and v46 40 s for 40 steps; smoke has 2, and no case to answer
        times.learn(entry.experiment, entry.run)
    for entry in queue[3:]:
        shutil.rmtree(entry.run.folder)
    assert times.expected(queue[3].experiment, queue[3].run) == pytest.approx(1.0)
    fits, total = fitting(queue[3:], times, 4.9)
    assert [str(entry) for entry in fits] == ["v43 seed 2", "v45c seed 2"]
    assert total == pytest.approx(10.0)
    assert fitting(queue[3:], times, 0.5)[0] == []
    assert "measured on 3 finished runs" in times.basis()


def test_the_budget_s_clock_starts_before_the_probes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    members, _, _ = made_tournament(tmp_path / "made", 1, 40)
    clock = [0.0]

    def probed(self: RunTimes, *_: object) -> None:
        clock[0] += 3600
        self.probes = {"sft": 1.0, "grpo": 1.0}

    monkeypatch.setattr(tournament, "load_series", lambda *_: (members, SeriesData(None, [], tmp_path / "x.parquet")))
    monkeypatch.setattr(tournament, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(RunTimes, "probe", probed)
    monkeypatch.setattr(tournament, "train_and_evaluate", lambda *_: pytest.fail("started after its time"))
    with pytest.raises(InputError, match=r"--budget 1\.001: v43 seed 1 .* after the 1 h 00 min that were spent"):
        tournament.hold_tournament("v43,v45c,v46", "tiny", "smoke", 40, tmp_path / "out", budget=1.001)


def test_a_probe_from_another_parent_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    members, queue, _ = made_tournament(tmp_path, 1, 40)
    v46, started = members[2], []
    for name in ("first", "second"):
        weights = tmp_path / name / "adapter" / "adapter_model.safetensors"
        weights.parent.mkdir(parents=True)
        weights.write_text(name)

    def begun(short: Experiment, folder: Path, parent: Path) -> Run:
        started.append(folder.exists())
        begin(Run(folder), short, {}, parent)
        return queue[2].run

    monkeypatch.setattr("esi_triage.reproduce.run_times.start", begun)
    for parent in ("first", "first", "second"):
        RunTimes(tmp_path / "times.json", cases=0).probe([v46], tmp_path / "probe", {"v43": tmp_path / parent})
    assert started == [False, True, False]


def test_a_member_that_was_not_measured_takes_as_long_as_one_of_its_method(tmp_path: Path) -> None:
    _, queue, _ = made_tournament(tmp_path, 1, 40)
    times = RunTimes(tmp_path / "times.json", cases=0)
    v48 = load_experiment("v48", "tiny", "smoke")
    assert times.expected(v48, Run(tmp_path / "v48")) is None
    times.learn(queue[1].experiment, queue[1].run)
    assert times.expected(v48, Run(tmp_path / "v48")) == pytest.approx(2.0)
    assert times.expected(load_experiment("v43", "tiny", "smoke"), Run(tmp_path / "x")) is None
    times.keep(queue[1].run, "v45c seed 1", wall=43.0)  # 40 s of it training
    assert RunTimes(tmp_path / "times.json", cases=0).rest == {"v45c seed 1": 3.0}
    assert times.expected(v48, Run(tmp_path / "v48")) == pytest.approx(5.0)


def test_a_step_is_timed_from_where_the_run_went_on(tmp_path: Path) -> None:
    run = Run(tmp_path)
    for times, seconds in (({"train_runtime": 30.0, "from_step": 25}, 2.0), ({"train_runtime": 30.0}, None)):
        run.metrics.write_text(json.dumps({"step": 40, "times": times}) + "\n")
        assert step_seconds(run) == seconds


@pytest.mark.parametrize(("seconds", "told"), [(40, "40 s"), (700, "12 min"), (7500, "2 h 05 min")])
def test_times_for_a_person(seconds: float, told: str) -> None:
    assert hours_and_minutes(seconds) == told


def test_prediction_quality_on_shares_made_to_order() -> None:
    def share(simulated: float, observed: float, change: float) -> LevelShare:
        return LevelShare("v46", 1, "1", simulated, simulated - 0.05, simulated + 0.05, 0.2, observed, 0.1, change)

    found = prediction_quality([share(0.1, 0.2, 0.1), share(0.2, 0.4, -0.1), share(0.3, 0.6, 0.01)])
    assert found["slope"] == pytest.approx(2.0)
    assert found["intercept"] == pytest.approx(0.0)
    assert found["mean_absolute_error"] == pytest.approx(0.2)
    assert found["mean_absolute_error_of_audit"] == pytest.approx(0.2)
    assert found["mean_absolute_error_of_no_change"] == pytest.approx(0.07)
    assert (found["in_band"], found["moved"], found["directions_right"]) == (0.0, 2, 1)


def test_observed_shares_are_counted_and_changes_are_from_the_warm_start(tmp_path: Path) -> None:
    _, _, done = made_tournament(tmp_path, 1, 50, ("v43", "v46"))
    flat = [(1 / 6, 0.1, 0.3)] * 6
    prediction = SharePrediction("v46", "note", {}, {}, {}, by_level=flat, followed=[0.2] * 6)
    found = level_shares(1, [prediction], done[1], "v43")
    before, after = (done[1][name].predicted.count(2) / 50 for name in ("v43", "v46"))
    assert found[1].observed == after
    assert found[1].change == pytest.approx(after - before)
    assert found[1].expected_change == pytest.approx(1 / 6 - before)
    assert sum(share.observed for share in found) == pytest.approx(1)


def test_the_report_has_means_pairs_predictions_and_what_was_left_out(tmp_path: Path) -> None:
    members, queue, done = made_tournament(tmp_path, 2, 120)
    del done[2]["v46"]
    kept = [entry for entry in queue if str(entry) != "v46 seed 2"]
    runs = {m.name: [entry.run for entry in kept if entry.experiment.name == m.name] for m in members}
    report = write_tournament_report(members, runs, done, ["v46 seed 2"], tmp_path)
    page = " ".join(report.read_text(encoding="utf-8").split())
    assert "v46 seed 2" in page
    assert 'src="http' not in page
    assert "Not a medical device" in page
    told = json.loads((tmp_path / "tournament.json").read_text())
    exact = told["members"]["v45c"]["exact"]
    assert exact["value"] == pytest.approx(sum(exact["seeds"]) / 2)
    pairs = {(pair["first"], pair["second"]): len(pair["exact"]["seeds"]) for pair in told["pairs"]}
    assert pairs == {("v43", "v45c"): 2, ("v43", "v46"): 1, ("v46", "v45c"): 1}
    assert told["predicted"]["quality"]["n"] == 18  # v45c with two seeds, v46 with one, six shares each
