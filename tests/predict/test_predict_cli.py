"""The commands that answer cases: what is typed reaches the model, and what cannot be is one sentence."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from stub_endpoint import Stub, chat, level_of
from typer.testing import CliRunner

from esi_triage.cli.evaluation.baseline import app as baseline
from esi_triage.cli.main import app
from esi_triage.data.case_table import write_cases
from esi_triage.data.corpus.vignettes import open_cases
from esi_triage.errors import InputError
from esi_triage.predict.load import find_model
from esi_triage.predict.model import Reply, constant_model, no_reply, one_by_one
from esi_triage.predict.score_file import read_replies, score_file


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
    assert (settings["endpoint"], settings["prompt"], settings["agreement"]) == (stub.url, "model-card", "DUA 1.5.0")
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


def test_what_must_be_known_of_a_model_is_told_with_its_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = replace(constant_model("constant:3"), notice="tiny base: shows the mechanism")
    monkeypatch.setattr("esi_triage.predict.load_model", lambda *_, **__: toy)
    monkeypatch.setattr("esi_triage.predict.load.load_model", lambda *_, **__: toy)
    assert "Note: tiny base: shows the mechanism." in run("triage", "cough", "--model", "toy")
    told = json.loads(run("triage", "cough", "--model", "toy", "--format", "json"))
    assert (told["level"], told["warnings"]) == (3, ["tiny base: shows the mechanism"])
    source = rows(tmp_path / "in.jsonl")
    said = run("score", "--model", "toy", "--input", source, "--output", tmp_path / "out.jsonl")
    assert "note: tiny base: shows the mechanism" in said
    monkeypatch.undo()
    assert "note:" not in run("score", "--model", "rules", "--input", source, "--output", tmp_path / "out.jsonl")


def test_triage_shows_the_levels_that_stay_possible() -> None:
    said = run("triage", "54 y/o M. BP 120/80, HR 70", "--model", "rules")
    assert "The note leaves open: ESI 2, ESI 4, ESI 5." in said
    assert "The note leaves open: no other level." in run(
        "triage", "Apneic and pulseless, CPR in progress", "--model", "rules"
    )
    assert json.loads(run("triage", "BP 120/80", "--format", "json"))["possible"] == [2, 3, 4, 5]


def test_text_that_is_no_note_is_told_so() -> None:
    said = run("triage", "hello can you help me")
    assert said.startswith("Not a triage note that can be read: no level")
    assert "ESI 3" not in said
    told = json.loads(run("triage", "hello can you help me", "--format", "json"))
    assert told["level"] is None
    assert "not a triage note that can be read: no level" in told["warnings"]


HANDED = Reply(
    *(3, "ANSWER: ESI 3", False, (0.1, 0.3, 0.4, 0.1, 0.1)),
    possible=(2, 3),
    level_set=(1, 2, 3),
    hand_over=("wide-set", "urgent-not-excluded"),
)


def test_triage_says_that_a_person_decides_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esi_triage.predict.load_model", lambda *_, **__: one_by_one("made", lambda _: HANDED))
    said = run("triage", "54 y/o M, chest pain. HR 70, BP 120/80")
    assert "A PERSON DECIDES: the model cannot narrow the level down; an urgent level cannot be excluded" in said
    assert "Nine in ten such notes have a level of these: ESI 1, ESI 2, ESI 3." in said
    assert "ESI 1 10 %, ESI 2 30 %" in said
    assert "Vital signs that are not recorded: T, RR, SpO2, pain." in said
    told = json.loads(run("triage", "54 y/o M, chest pain. HR 70", "--format", "json"))
    assert told["set"] == [1, 2, 3]
    assert [reason["code"] for reason in told["hand_over"]] == ["wide-set", "urgent-not-excluded"]
    assert [step["point"] for step in told["decision"]["steps"]] == ["A", "B", "C", "D"]
    assert "SpO2" in told["not_recorded"]


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_rows_have_the_set_and_why_a_person_decides(tmp_path: Path, ending: str) -> None:
    output = tmp_path / f"out.{ending}"
    score_file(one_by_one("made", lambda _: HANDED), rows(tmp_path / "in.jsonl"), output)
    written = pq.read_table(output).to_pylist() if ending == "parquet" else [json.loads(x) for x in output.open()]
    assert [(row["set"], row["hand_over"]) for row in written] == [([1, 2, 3], list(HANDED.hand_over))] * 6
    if ending == "parquet":
        assert read_replies(output) == [HANDED] * 6


def test_triage_says_why_there_is_no_reply_and_does_not_end_well(monkeypatch: pytest.MonkeyPatch) -> None:
    failing = one_by_one("made", lambda _: no_reply("HTTP 503"))
    monkeypatch.setattr("esi_triage.predict.load_model", lambda *_, **__: failing)
    told = CliRunner().invoke(app, ["triage", "chest pain", "--model", "guard:http://127.0.0.1:8000/v1"])
    assert (told.exit_code, told.stdout) == (1, "")
    assert "no reply: HTTP 503" in told.stderr
    told = CliRunner().invoke(app, ["triage", "chest pain", "--model", "m", "--format", "json"])
    values = json.loads(told.stdout)
    assert (told.exit_code, values["level"], values["error"]) == (1, None, "HTTP 503")
    assert "HTTP 503" in values["meaning"]
