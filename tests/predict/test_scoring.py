"""Scoring a file: order and count are kept, bad rows are named, nothing is half-written."""

import json
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from esi_triage.data.case_table import write_cases
from esi_triage.data.corpus.vignettes import open_cases
from esi_triage.errors import InputError
from esi_triage.esi import Case
from esi_triage.predict import Reply, ask, load_model, text_case
from esi_triage.predict.model import one_by_one, reply_of
from esi_triage.predict.score_file import read_replies, score_file, write_predictions


def rows_of(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def write_rows(file: Path, rows: list) -> Path:
    file.write_text(
        "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), encoding="utf-8"
    )
    return file


def test_a_constant_answers_everybody(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "in.jsonl", [{"case_id": f"c{i}", "narrative": f"case {i}"} for i in range(50)])
    n, bad, _ = score_file(load_model("constant:2"), source, tmp_path / "out.jsonl")
    rows = rows_of(tmp_path / "out.jsonl")
    assert (n, bad) == (50, [])
    assert [row["case_id"] for row in rows] == [f"c{i}" for i in range(50)]
    assert {row["level"] for row in rows} == {2}
    assert rows[0]["probabilities"] == [0, 1, 0, 0, 0]
    assert not (tmp_path / "out.jsonl.quarantine.jsonl").exists()


@pytest.mark.parametrize("spec", ["runs/none", "somebody/a-model", "nothing", "./none"])
def test_a_model_that_is_not_here_is_one_sentence_and_no_hub_is_asked(
    spec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "esi_triage.predict.language_model", None)  # importing it would fail
    with pytest.raises(InputError, match=rf"model '{spec}': there is nothing of that name on this machine"):
        load_model(spec)


def test_bad_rows_keep_their_place_and_are_named(tmp_path: Path) -> None:
    good = {"case_id": "good", "narrative": "cough"}
    rows_in = [
        *({"case_id": "empty", "narrative": " "}, good, {"narrative": "no id"}, "{broken"),
        *(
            {"case_id": "n", "narrative": 3},
            {"case_id": "long", "narrative": "x" * 30_000},
            {**good, "case_id": "last"},
        ),
    ]
    source = write_rows(tmp_path / "in.jsonl", rows_in)
    n, bad, _ = score_file(load_model("constant:3"), source, tmp_path / "out.jsonl")
    rows = rows_of(tmp_path / "out.jsonl")
    assert n == len(rows) == 7
    assert [row["level"] for row in rows] == [None, 3, None, None, None, None, 3]
    assert [row["case_id"] for row in rows] == ["empty", "good", None, None, "n", "long", "last"]
    assert [row.row for row in bad] == [1, 3, 4, 5, 6]
    assert all(row["error"] for row in rows if row["level"] is None)
    quarantined = rows_of(tmp_path / "out.jsonl.quarantine.jsonl")
    assert [row["reason"] for row in quarantined] == [row.reason for row in bad]


def test_parquet_in_and_out(tmp_path: Path) -> None:
    write_cases(open_cases(20), tmp_path / "in.parquet")
    score_file(load_model("constant:5"), tmp_path / "in.parquet", tmp_path / "out.parquet")
    replies = read_replies(tmp_path / "out.parquet")
    assert [reply.level for reply in replies] == [5] * 20
    assert replies[0] == ask(load_model("constant:5"), [text_case("x")])[0]


def test_patient_and_hospital_stay_with_a_prediction(tmp_path: Path) -> None:
    """A comparison resamples by them; the column came last, so that older readers find the others where they were."""
    row = {"case_id": "a", "narrative": "cough", "gold": 3, "subject_id": "p", "group": "2020-17"}
    source = write_rows(tmp_path / "in.jsonl", [row, {"case_id": "b", "narrative": " "}])
    score_file(load_model("constant:3"), source, tmp_path / "out.parquet")
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.column_names[-3:] == ["gold", "subject_id", "group"]
    assert table["group"].to_pylist() == ["2020-17", None]


def test_a_model_that_fails_leaves_no_output(tmp_path: Path) -> None:
    def reply_to(case: Case) -> Reply:
        raise RuntimeError("out of memory")

    source = write_rows(tmp_path / "in.jsonl", [{"case_id": "a", "narrative": "b"}])
    with pytest.raises(RuntimeError, match="memory"):
        score_file(one_by_one("broken", reply_to), source, tmp_path / "out.jsonl")
    assert [file.name for file in tmp_path.iterdir()] == ["in.jsonl"]


def test_the_level_of_a_reply_is_what_the_parser_reads() -> None:
    assert reply_of("<think>ESI 1</think>ANSWER: ESI 4").level == 4
    assert reply_of("no idea").level is None


def test_rules_answer_in_the_format_and_read_the_note(tmp_path: Path) -> None:
    rules = load_model("rules")
    notes = [
        "Apneic and pulseless, CPR in progress.",
        "Needs a prescription refill for blood pressure pills, feels well.",
    ]
    replies = ask(rules, [text_case(note) for note in notes])
    assert [reply.level for reply in replies] == [1, 5]
    assert all(reply.strict for reply in replies)
    assert [reply.possible for reply in replies] == [(1,), (5,)]


@pytest.mark.parametrize("text", ["hello can you help me", "%&$ 12 \x00 ñandú", "ANSWER: ESI 5", "x"])
def test_text_that_is_no_note_gets_no_level(text: str, tmp_path: Path) -> None:
    (reply,) = ask(load_model("rules"), [text_case(text)])
    assert (reply.level, reply.strict, reply.error) == (None, False, None)
    assert reply.warnings == ("not a triage note that can be read: no level",)
    source = write_rows(tmp_path / "in.jsonl", [{"case_id": "a", "narrative": text}])
    score_file(load_model("rules"), source, tmp_path / "out.jsonl")
    assert rows_of(tmp_path / "out.jsonl")[0]["level"] is None


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_rows_say_which_levels_stay_possible(tmp_path: Path, ending: str) -> None:
    notes = ["BP 120/80", "Apneic and pulseless, CPR in progress.", "54 y/o M"]
    rows_in = [{"case_id": str(i), "narrative": note} for i, note in enumerate(notes)]
    output = tmp_path / f"out.{ending}"
    score_file(load_model("rules"), write_rows(tmp_path / "in.jsonl", rows_in), output)
    rows = rows_of(output) if ending == "jsonl" else pq.read_table(output).to_pylist()
    assert [row["possible"] for row in rows] == [[2, 3, 4, 5], [1], [2, 3, 4, 5]]
    assert [bool(row["warnings"]) for row in rows] == [False, False, True]
    if ending == "parquet":
        assert read_replies(output) == ask(load_model("rules"), [text_case(note) for note in notes])


@pytest.mark.parametrize("spec", ["constant:0", "constant:6", "constant", "nonsense", "runs/does-not-exist"])
def test_unknown_models_are_named(spec: str) -> None:
    with pytest.raises(InputError, match=spec.split(":")[0]):
        load_model(spec)


def test_output_must_have_a_known_suffix(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"out\.csv"):
        write_predictions([], tmp_path / "out.csv")
