"""Batch scoring: the output of parts is that of one process, whoever scored them and however often they were killed."""

import json
import os
import signal
from collections.abc import Generator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esi_triage.data.case_table import BadRow, checked_rows, write_cases
from esi_triage.errors import InputError
from esi_triage.esi import Case
from esi_triage.predict import Model, Reply
from esi_triage.predict.load import find_model
from esi_triage.predict.model import no_reply, one_by_one, reply_of
from esi_triage.predict.parts import local_workers
from esi_triage.predict.parts.cut import cut, rows_of
from esi_triage.predict.parts.score_parts import score_parts
from esi_triage.predict.score_file import score_file

RULES = partial(find_model, "rules")
GOOD = [{"case_id": f"c{i}", "narrative": f"{i} y/o with cough", "gold": 1 + i % 5} for i in range(30)]
LINES = [
    *map(json.dumps, GOOD[:7]),
    *('{"case_id": "c3", "narrative": "the id of row 4"}', "", "{broken", '{"case_id": "empty", "narrative": " "}'),
    *map(json.dumps, GOOD[7:20]),
    *(
        "   ",
        '{"narrative": "no id"}',
        '{"case_id": "c19", "narrative": "ümlaut"}',
        '{"case_id": "empty", "narrative": "x"}',
    ),
    *map(json.dumps, GOOD[20:]),
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "in.jsonl"
    file.write_text("\n".join(LINES), encoding="utf-8")
    return file


def by_length(case: Case) -> Reply:
    return reply_of(f"ANSWER: ESI {1 + len(case.narrative) % 5}")


def quick() -> Model:
    return one_by_one("quick", by_length)


def deadly(marks: Path, deaths: int, victim: str = "c5") -> Model:
    """`quick`, but its process is killed in the middle of a part, so many times in all."""

    def reply_to(case: Case) -> Reply:
        here = len(list(marks.iterdir()))
        if case.case_id == victim and here < deaths:
            (marks / str(here)).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return by_length(case)

    return one_by_one("quick", reply_to)


def failing(marks: Path) -> Model:
    """A model whose replies are kept, which fails once for two cases, and writes down whom it was asked for."""

    def stream(cases: Sequence[Case]) -> Generator[list[tuple[int, Reply]], None, None]:
        for place, case in enumerate(cases):
            mark = marks / case.case_id
            again = mark.exists()
            mark.write_text(mark.read_text() + "x" if again else "x")
            yield [(place, by_length(case) if again or case.case_id not in ("c8", "c25") else no_reply("HTTP 500"))]

    return Model("failing", stream, "one")


def interrupted() -> Model:
    def reply_to(case: Case) -> Reply:
        if case.case_id == "c25":
            raise KeyboardInterrupt
        return by_length(case)

    return one_by_one("quick", reply_to)


def raising() -> Model:
    def reply_to(case: Case) -> Reply:
        raise InputError("the rows are credentialed.")

    return one_by_one("raising", reply_to)


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
@pytest.mark.parametrize("parts", [1, 4, 1000])
def test_the_output_is_that_of_one_process(source: Path, tmp_path: Path, ending: str, parts: int) -> None:
    whole, out = tmp_path / f"whole.{ending}", tmp_path / f"out.{ending}"
    rows, bad, _ = score_file(quick(), source, whole)
    found = score_parts(quick, source, out, parts)
    assert out.read_bytes() == whole.read_bytes()
    assert (found.rows, found.bad, found.failed.total()) == (rows, len(bad), 0)
    quarantine = "{}.quarantine.jsonl".format
    assert (tmp_path / quarantine(out.name)).read_bytes() == (tmp_path / quarantine(whole.name)).read_bytes()
    listed = json.loads((tmp_path / f"out.{ending}.manifest.json").read_text())["parts"]
    assert len(listed) == min(parts, rows)
    assert sum(part["rows"] for part in listed) == rows
    assert not list(tmp_path.glob("*.parts"))


def test_parquet_in_parts(tmp_path: Path) -> None:
    write_cases((Case(source="x", licence="open", **row) for row in GOOD), tmp_path / "in.parquet")
    score_file(quick(), tmp_path / "in.parquet", tmp_path / "whole.jsonl")
    score_parts(quick, tmp_path / "in.parquet", tmp_path / "out.jsonl", 7)
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.sampled_from(LINES), max_size=40), parts=st.integers(1, 50), end=st.sampled_from(["", "\n"]))
def test_the_parts_of_a_file_are_its_rows(tmp_path: Path, lines: list[str], parts: int, end: str) -> None:
    file = tmp_path / "any.jsonl"
    file.write_text("\n".join(lines) + end, encoding="utf-8")

    def alone(rows: Sequence[Case | BadRow]) -> list[Case | BadRow]:
        return [row for row in rows if not (isinstance(row, BadRow) and "already" in row.reason)]

    places = cut(file, parts)
    in_parts = [row for part in places for row in rows_of(file, part)]
    assert [row.row for row in in_parts if isinstance(row, BadRow)] == [
        row.row for row in checked_rows(file) if isinstance(row, BadRow) and "already" not in row.reason
    ]
    assert len(in_parts) == len(list(checked_rows(file)))
    assert all(part.rows > 0 for part in places)
    assert max((p.rows for p in places), default=0) - min((p.rows for p in places), default=0) <= 1


def test_killed_workers_lose_and_double_nothing(source: Path, tmp_path: Path) -> None:
    (tmp_path / "marks").mkdir()
    score_file(quick(), source, tmp_path / "whole.jsonl")
    load = partial(deadly, tmp_path / "marks", 2)
    found = score_parts(load, source, tmp_path / "out.jsonl", parts=6, workers=2)
    assert len(list((tmp_path / "marks").iterdir())) == 2
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert found.rows == 36


def test_a_part_that_ends_every_worker_is_named_and_the_rest_is_kept(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_workers, "ATTEMPTS", 2)
    (tmp_path / "marks").mkdir()
    load = partial(deadly, tmp_path / "marks", 2)
    with pytest.raises(InputError, match=r"part 2 \(rows 6 to 10\) ended 2 workers"):
        score_parts(load, source, tmp_path / "out.jsonl", parts=7, workers=2)
    assert not (tmp_path / "out.jsonl").exists()
    (tmp_path / "none").mkdir()  # part 1 is there: nothing asks for its first row again
    not_the_first = partial(deadly, tmp_path / "none", 2, "c0")
    assert score_parts(not_the_first, source, tmp_path / "out.jsonl", parts=7).rows == 36


def test_what_failed_is_asked_again_and_nothing_else(source: Path, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    load = partial(failing, marks)
    first = score_parts(load, source, tmp_path / "out.jsonl", parts=5)
    assert first.failed == {"HTTP 500": 2}
    assert score_parts(load, source, tmp_path / "out.jsonl", parts=5).failed.total() == 0
    asked = {file.name: len(file.read_text()) for file in marks.iterdir()}
    assert {name for name, n in asked.items() if n > 1} - {"c3", "c19"} == {"c8", "c25"}
    score_file(quick(), source, tmp_path / "whole.jsonl")
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_what_a_worker_says_is_said(source: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the rows are credentialed"):
        score_parts(raising, source, tmp_path / "out.jsonl", parts=2, workers=2)


def test_a_part_that_was_changed_is_not_merged(source: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        score_parts(interrupted, source, tmp_path / "out.jsonl", parts=3)
    (tmp_path / "out.jsonl.parts" / "part-00001.jsonl").write_text("{}\n")
    with pytest.raises(InputError, match=r"part-00001\.jsonl: it has changed"):
        score_parts(quick, source, tmp_path / "out.jsonl", parts=3)


def test_an_empty_file_and_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n")
    assert score_parts(RULES, tmp_path / "empty.jsonl", tmp_path / "out.jsonl").rows == 0
    assert (tmp_path / "out.jsonl").read_bytes() == b""
    with pytest.raises(InputError, match=r"nothing\.jsonl"):
        score_parts(RULES, tmp_path / "nothing.jsonl", tmp_path / "out.jsonl")


def test_ray_gives_the_same_bytes(source: Path, tmp_path: Path) -> None:
    if find_spec("ray") is None:
        with pytest.raises(InputError, match=r"pip install 'esi-triage\[ray\]'"):
            score_parts(RULES, source, tmp_path / "out.jsonl", parts=4, ray="local")
        pytest.skip("Ray is not installed (the extra `ray`)")
    score_file(RULES(), source, tmp_path / "whole.jsonl")
    score_parts(RULES, source, tmp_path / "out.jsonl", parts=4, workers=2, ray="local")
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_the_command(source: Path, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from esi_triage.cli.main import app

    command = ["score", "-m", "constant:3", "-i", str(source), "-o", str(tmp_path / "out.jsonl")]
    result = CliRunner().invoke(app, [*command, "--parts", "3", "--workers", "2"])
    assert result.exit_code == 0, result.output
    assert "36 rows, 31 scored, 5 bad, 0 failed" in result.output
    if find_spec("ray") is None:
        bare = CliRunner().invoke(app, [*command, "--ray"])
        assert isinstance(bare.exception, InputError)
        assert "Ray is not installed" in str(bare.exception)


def test_parts_of_one_model_are_not_taken_for_those_of_another_of_its_name(source: Path, tmp_path: Path) -> None:
    """A reader's weights, and a calibration, stand in its settings."""

    def made(level: int) -> Model:
        told = {"sha256": str(level)}
        return Model("reader", one_by_one("reader", lambda _: reply_of(f"ANSWER: ESI {level}")).stream, settings=told)

    score_parts(partial(made, 1), source, tmp_path / "out.jsonl", 3)
    (tmp_path / "out.jsonl").unlink()
    score_parts(partial(made, 2), source, tmp_path / "out.jsonl", 3)
    levels = {json.loads(line)["level"] for line in (tmp_path / "out.jsonl").read_text().splitlines()}
    assert levels <= {2, None}
