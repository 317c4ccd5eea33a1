"""`esi evaluate` with a gate, and `esi card`: exit codes and what is said."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from esi_triage.cli.evaluation.card import card
from esi_triage.cli.evaluation.evaluate import evaluate
from esi_triage.data.case_table import write_cases
from esi_triage.errors import InputError
from esi_triage.esi import Case, Split
from esi_triage.train.experiment import load_experiment


@pytest.fixture
def cases(tmp_path):
    rows = [
        Case(case_id=str(i), source="t", licence="open", narrative=f"A man with cough {i}.", gold=g)
        for i, g in enumerate([2, 2, 2, 3, 4])
    ]
    write_cases(rows, tmp_path / "cases.jsonl")
    return tmp_path / "cases.jsonl"


def _run(command, *arguments):
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def _evaluated(cases: Path, *more):
    return _run(evaluate, "--model", "constant:2", "--cases", cases, "--output", cases.parent / "out", *more)


@pytest.mark.parametrize(
    ("limits", "code", "said"),
    [
        ('[at_least]\n"exact.value" = 0.6\n[at_most]\n"no_parse.value" = 0.01', 0, ""),
        ("[at_least]\nlevels_answered = 4", 1, "gate: levels_answered = 1; it must be at least 4"),
        ('[at_least]\n"margin_over_best_constant.low" = 0.05', 1, "gate: margin_over_best_constant.low"),
    ],
)
def test_a_gate_is_an_exit_code_and_a_line_for_each_broken_limit(cases, limits, code, said):
    gate = cases.parent / "gate.toml"
    gate.write_text(limits)
    result = _evaluated(cases, "--gate", gate)
    assert (result.exit_code, said in result.output) == (code, True)
    assert result.output.count("gate: ") == code
    assert (cases.parent / "out" / "report.html").is_file()


@pytest.mark.parametrize("died", [[None] * 5, [True, None, False, None, None]])
def test_outcomes_that_nobody_recorded_are_named_and_stop_nothing(cases, died):
    ids = [str(i) for i in range(5)]
    tables = {
        "outcomes": {"critical": pa.nulls(5, pa.bool_()), "died": pa.array(died, pa.bool_())},
        "groups": {"race": pa.nulls(5, pa.string())},
    }
    for kind, columns in tables.items():
        pq.write_table(pa.table({"case_id": ids} | columns), cases.parent / f"cases.{kind}.parquet")
    result = _evaluated(cases)
    assert result.exit_code == 0, result.exception
    unknown = ("critical",) if any(died) else ("critical", "died")
    assert f"cases.outcomes.parquet: no value for these cases, left out: {', '.join(unknown)}" in result.output
    measured = json.loads((cases.parent / "out" / "metrics.json").read_text())["outcomes"]
    assert measured["not_recorded"] == list(unknown)
    assert list(measured["by_outcome"]) == (["died"] if any(died) else [])
    report = (cases.parent / "out" / "report.md").read_text()
    assert f"No value for these cases, left out: {', '.join(unknown)}." in report


def test_a_gate_that_cannot_be_read_stops_before_anything_is_scored(cases):
    (cases.parent / "gate.toml").write_text("[at_least")
    result = _evaluated(cases, "--gate", cases.parent / "gate.toml")
    assert isinstance(result.exception, InputError)
    assert not (cases.parent / "out").exists()


def test_predictions_cannot_be_perturbed(cases):
    predictions = cases.parent / "p.jsonl"
    predictions.write_text("".join(f'{{"case_id": "{i}", "level": 2}}\n' for i in range(5)))
    arguments = ["--predictions", predictions, "--cases", cases, "--output", cases.parent / "out"]
    result = _run(evaluate, *arguments, "--perturb")
    assert isinstance(result.exception, InputError)
    assert "cannot be asked again" in str(result.exception)
    assert _run(evaluate, *arguments).exit_code == 0


def test_the_screen_says_how_often_the_set_was_used(cases):
    assert "scored once, now" in _evaluated(cases).output
    assert "scored 2 times since" in _evaluated(cases, "--beside", "rules").output


def test_a_card_is_written_and_says_how_much_is_left_to_the_author(cases):
    run = cases.parent / "run"
    load_experiment("v43").save(run / "experiment.toml")
    _evaluated(cases)
    result = _run(card, run, "--evaluation", cases.parent / "out")
    assert result.exit_code == 0
    assert "README.md (for the author to complete: 2)" in result.output  # and the hardware, which is not known
    assert (run / "checklists.md").is_file()


def test_one_split_alone_is_measured_and_training_rows_are_not_passed_over(tmp_path):
    file = tmp_path / "cases.jsonl"
    told: list[tuple[int, Split]] = [(2, "train"), (3, "train"), (2, "held_out"), (4, "tuning"), (2, "held_out")]
    rows = [
        Case(case_id=str(i), source="t", licence="open", narrative="A man with a cough.", gold=gold, split=split)
        for i, (gold, split) in enumerate(told)
    ]
    write_cases(rows, file)
    whole = _evaluated(file)
    assert "constant:2 on 5 cases" in whole.output
    assert "2 of them are of the split train" in whole.output
    assert "2 of its cases are of the split train" in (tmp_path / "out" / "report.md").read_text()
    apart = _evaluated(file, "--split", "held_out")
    assert "on 2 cases (0 without a gold level left out, 0 bad rows, 3 of other splits)" in apart.output
    assert "split train" not in apart.output
    kept = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert kept["rows"] == {"in": 5, "evaluated": 2, "without_gold": 0, "bad": 0, "other_split": 3}
    assert kept["exact"]["value"] == 1


def test_a_split_that_is_not_there_is_named(cases):
    result = _evaluated(cases, "--split", "held_out")
    assert isinstance(result.exception, InputError)
    assert "no labelled row has the split held_out; there are no split (5)" in str(result.exception)
