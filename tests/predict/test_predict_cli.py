"""The commands that answer cases: what is typed reaches the model, and what cannot be is one sentence."""

import json
from pathlib import Path
from typing import Any

import pytest
from stub_endpoint import Stub, chat, level_of
from typer.testing import CliRunner

from esi_triage.cli.baseline import app as baseline
from esi_triage.cli.main import app
from esi_triage.data.open_corpus import open_cases
from esi_triage.data.table import write_cases
from esi_triage.errors import InputError
from esi_triage.predict.load import find_model


def rows(file: Path, licence: str = "open") -> Path:
    notes = [f"note {i}" for i in range(6)]
    made = [{"case_id": n, "narrative": n, "licence": licence, "gold": level_of(n)} for n in notes]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in made))
    return file


def run(*words: object, commands: Any = app) -> str:
    done = CliRunner().invoke(commands, [str(word) for word in words])
    if done.exception:
        raise done.exception
    return done.output


def test_score_at_an_endpoint(stub: Stub, tmp_path: Path) -> None:
    stub.faults["note 2"] = [(400, {}, {"error": {"code": "too_long"}})]
    source, output = rows(tmp_path / "in.jsonl"), tmp_path / "out.jsonl"
    command = ["score", "--endpoint", stub.url, "--model", "m", "--input", source, "--output", output]
    options = ["--parameter", "max_tokens=", "--parameter", "max_completion_tokens=77", "--seed", 3, "--rate", 500]
    said = run(*command, *options)
    assert "6 rows, 5 scored, 0 bad, 1 failed" in said
    assert "1 cases, HTTP 400 (too_long)" in said
    assert "asks only those again" in said
    sent = {key: value for key, value in stub.bodies[0].items() if key != "messages"}
    assert sent == {"model": "m", "temperature": 0.1, "max_completion_tokens": 77, "seed": 3}
    assert "6 rows, 6 scored, 0 bad, 0 failed" in run(*command, *options)
    assert sum(stub.asked.values()) == 7


def test_evaluate_at_an_endpoint(stub: Stub, tmp_path: Path) -> None:
    stub.faults["note 1"] = [chat("I cannot say.")]
    said = run(
        *("evaluate", "--endpoint", stub.url, "--model", "m", "--agreement", "DUA 1.5.0"),
        *("--cases", rows(tmp_path / "cases.jsonl", "credentialed"), "--output", tmp_path / "out"),
    )
    assert "m on 6 cases" in said
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["exact"]["value"] == pytest.approx(5 / 6)
    settings = metrics["settings"]
    assert (settings["endpoint"], settings["prompt"], settings["agreement"]) == (stub.url, "seed", "DUA 1.5.0")
    assert settings["decoding"] == {"temperature": 0.1, "max_tokens": 1024}


def test_credentialed_rows_are_refused_elsewhere(tmp_path: Path) -> None:
    command = ["--endpoint", "https://api.example.invalid/v1", "--model", "m", "--output", tmp_path / "out.jsonl"]
    with pytest.raises(InputError, match=r"6 of 6 rows are credentialed.*nothing was sent"):
        run("score", *command, "--input", rows(tmp_path / "in.jsonl", "credentialed"))
    assert not (tmp_path / "out.jsonl").exists()


def test_predictions_are_evaluated_with_their_gaps(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.csv"
    theirs.write_text("case_id,level\n" + "".join(f"note {i},{level_of(f'note {i}')}\n" for i in range(4)))
    cases = rows(tmp_path / "cases.jsonl")
    said = run("evaluate", "--predictions", theirs, "--cases", cases, "--output", tmp_path / "out")
    assert "theirs on 6 cases" in said
    assert "counted as wrong: 2 cases, no row in theirs.csv" in said
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["exact"]["value"] == pytest.approx(4 / 6)


def test_baselines_are_fitted_and_score(tmp_path: Path) -> None:
    write_cases(open_cases(120, seed=2, core=True), tmp_path / "cases.parquet")
    said = run("fit", "--data", tmp_path / "cases.parquet", "--output", tmp_path / "fitted", commands=baseline)
    named = [line.split()[1] for line in said.splitlines() if line.startswith("  --model ")]
    assert [name.rsplit("/")[-1] for name in named] == ["tfidf", "boosting", "random"]
    for name in named:
        output = tmp_path / "out.parquet"
        said = run("score", "--model", name, "--input", tmp_path / "cases.parquet", "--output", output)
        assert "120 rows, 120 scored" in said


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"spec": ""}, "--model is missing"),
        ({"spec": "rules", "agreement": "DUA"}, "belong to --endpoint"),
        ({"spec": "rules", "parameters": ["top_p=1"]}, "belong to --endpoint"),
        ({"spec": "m", "endpoint": "http://127.0.0.1:1", "parameters": ["top_p"]}, "NAME=VALUE"),
        ({"spec": "m", "endpoint": "http://127.0.0.1:1", "parameters": ["n=3"]}, "NAME=VALUE"),
        ({"spec": "m", "endpoint": "localhost:8000"}, "base URL"),
    ],
)
def test_what_does_not_go_together(given: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        find_model(**given)
