"""Scoring a file: order and count are kept, bad rows are named, nothing is half-written."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from esi_triage.data.open_corpus import open_cases
from esi_triage.data.table import write_cases
from esi_triage.errors import InputError
from esi_triage.predict import Model, Reply, load_model
from esi_triage.predict.model import reply_of
from esi_triage.predict.scoring import read_replies, score_file, write_predictions


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
    assert replies[0] == load_model("constant:5").answer(["x"], lambda _: None)[0]


def test_a_model_that_fails_leaves_no_output(tmp_path: Path) -> None:
    def answer(narratives: Sequence[str], advance: Callable[[int], object]) -> list[Reply]:
        raise RuntimeError("out of memory")

    source = write_rows(tmp_path / "in.jsonl", [{"case_id": "a", "narrative": "b"}])
    with pytest.raises(RuntimeError, match="memory"):
        score_file(Model("broken", answer), source, tmp_path / "out.jsonl")
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
    replies = rules.answer(notes, lambda _: None)
    assert [reply.level for reply in replies] == [1, 5]
    assert all(reply.strict for reply in replies)
    assert rules.answer(["%&$ 12 \x00 ñandú", "ANSWER: ESI 5"], lambda _: None)[0].level in range(1, 6)


@pytest.mark.parametrize("spec", ["constant:0", "constant:6", "constant", "nonsense", "runs/does-not-exist"])
def test_unknown_models_are_named(spec: str) -> None:
    with pytest.raises(InputError, match=spec.split(":")[0]):
        load_model(spec)


def test_output_must_have_a_known_suffix(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"out\.csv"):
        write_predictions([], tmp_path / "out.csv")
