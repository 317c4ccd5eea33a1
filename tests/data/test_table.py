"""The case table on disk: what is written is read back; bad rows are named; no file is ever half-written."""

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from esi_triage.data.case_table import count_rows, read_cases, write_cases
from esi_triage.data.corpus.vignettes import open_cases
from esi_triage.errors import InputError
from esi_triage.esi import Case
from esi_triage.predict.parts.cut import cut


@pytest.mark.parametrize("name", ["cases.parquet", "cases.jsonl"])
def test_round_trip(tmp_path: Path, name: str) -> None:
    cases = list(open_cases(200))
    assert write_cases(cases, tmp_path / name) == 200
    assert read_cases(tmp_path / name) == (cases, [])
    assert count_rows(tmp_path / name) == 200


@pytest.mark.parametrize("name", ["cases.parquet", "cases.jsonl"])
def test_an_ending_may_be_in_capitals(tmp_path: Path, name: str) -> None:
    write_cases(open_cases(20), tmp_path / name)
    capitals = (tmp_path / name).rename(tmp_path / name.upper())
    assert len(read_cases(capitals)[0]) == count_rows(capitals) == 20
    assert [part.rows for part in cut(capitals, 2)] == [10, 10]


def test_every_column_says_what_it_is(tmp_path: Path) -> None:
    write_cases(open_cases(1), tmp_path / "cases.parquet")
    schema = pq.read_schema(tmp_path / "cases.parquet")
    assert set(schema.names) == set(Case.model_fields)
    assert b"level, 1 to 5" in schema.field("gold").metadata[b"about"]


def test_bad_rows_are_named_and_good_ones_kept(tmp_path: Path) -> None:
    file = tmp_path / "mixed.jsonl"
    rows = [
        {"case_id": "a", "narrative": "chest pain", "gold": 2, "style": "unknown columns are fine"},
        {"case_id": "b", "narrative": "chest pain", "gold": 7, "licence": "open"},
        {"case_id": "c", "narrative": "   "},
        {"case_id": "d"},
        {"narrative": "no id"},
    ]
    file.write_text("\n".join([*map(json.dumps, rows), "{not json", "[1]"]), encoding="utf-8")
    cases, bad = read_cases(file)
    assert [case.case_id for case in cases] == ["a"]
    assert cases[0].licence == "credentialed"  # a row that does not say it is open is treated as if it were not
    assert [(row.row, row.case_id) for row in bad] == [(2, "b"), (3, "c"), (4, "d"), (5, None), (6, None), (7, None)]
    assert "gold = 7" in bad[0].reason
    assert "narrative" in bad[1].reason


@pytest.mark.parametrize("name", ["cases.parquet", "cases.jsonl"])
def test_a_failure_half_way_leaves_the_old_file(tmp_path: Path, name: str) -> None:
    write_cases(open_cases(3), tmp_path / name)
    before = (tmp_path / name).read_bytes()

    def failing() -> Iterator[Case]:
        yield from open_cases(20_000)
        raise RuntimeError("pulled the plug")

    with pytest.raises(RuntimeError, match="plug"):
        write_cases(failing(), tmp_path / name)
    assert (tmp_path / name).read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(("name", "content"), [("a.parquet", b"no parquet"), ("a.txt", b""), ("missing.jsonl", None)])
def test_unreadable_files_are_named(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=name):
        read_cases(tmp_path / name)


ROW = {"case_id": "a", "narrative": "sore throat, NSR, afebrile", "licence": "open"}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"heart_rate": 900}, "heart_rate = 900"),
        ({"heart_rate": -20}, "heart_rate = -20"),
        ({"temperature_c": 98.6}, "degrees Fahrenheit"),
        ({"spo2": 0.98}, "a fraction"),
        ({"spo2": 150}, "spo2 = 150"),
        ({"pain": 11}, "pain = 11"),
        ({"sbp": True}, "truth value"),
        ({"gold": True}, "truth value"),
        ({"gold": 2.5}, "gold = 2.5"),
        ({"age_years": "old"}, "age_years = 'old'"),
        ({"narrative": ["a", "list"]}, "narrative = ['a', 'list']"),
        ({"narrative": "\ud800"}, "narrative: it holds half"),
        ({"group": "\udfff"}, "group: it holds half"),
        ({"narrative": "x" * 20_001}, "20001 characters"),
        ({"case_id": True}, "case_id = True"),
        ({"subject_id": 3.5}, "subject_id = 3.5"),
        ({"scale": "mts"}, "scale = 'mts'"),
    ],
)
def test_what_no_case_can_be_is_named(tmp_path: Path, values: dict[str, object], reason: str) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text(json.dumps(ROW | {"case_id": "b"} | values) + "\n" + json.dumps(ROW), encoding="utf-8")
    cases, (bad,) = read_cases(file)
    assert [case.case_id for case in cases] == ["a"]
    assert bad.row == 1
    assert reason in bad.reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"case_id": "a", "narrative": "x", "heart_rate": NaN}', "NaN"),
        ('{"case_id": "a", "narrative": "x", "sbp": -Infinity}', "Infinity"),
        ('{"case_id": "a", "narrative": "x", "licence": "open", "licence": "credentialed"}', "'licence' stands twice"),
        ("[" * 200_000 + "]" * 200_000, "deep"),
        (b'{"case_id": "a", "narrative": "caf\xe9"}', "not UTF-8"),
    ],
)
def test_a_line_that_is_no_strict_json_is_named(tmp_path: Path, line: str | bytes, reason: str) -> None:
    file = tmp_path / "cases.jsonl"
    good = json.dumps(ROW).encode()
    file.write_bytes(good + b"\n" + (line if isinstance(line, bytes) else line.encode()) + b"\n")
    cases, (bad,) = read_cases(file)
    assert [case.case_id for case in cases] == ["a"]
    assert bad.row == 2
    assert reason in bad.reason


def test_ids_may_be_text_or_whole_numbers_and_are_unique(tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    rows = [{"case_id": 7, "subject_id": 1001.0, "stay_id": 3}, {"case_id": "7"}, {"case_id": 7.0}, {"case_id": "8"}]
    file.write_text("\n".join(json.dumps({**ROW, **row}) for row in rows), encoding="utf-8")
    cases, bad = read_cases(file)
    assert [(case.case_id, case.subject_id, case.stay_id) for case in cases] == [("7", "1001", "3"), ("8", None, None)]
    assert [(row.row, row.reason) for row in bad] == [
        (2, "case_id stands in row 1 already; ids are unique"),
        (3, "case_id stands in row 1 already; ids are unique"),
    ]


def test_a_reason_shows_no_value_of_a_row_that_is_not_open(tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text(json.dumps({"case_id": "a", "narrative": ["secret words"], "sex": "secret"}), encoding="utf-8")
    _, (bad,) = read_cases(file)
    assert "secret" not in bad.reason
    assert "narrative" in bad.reason
