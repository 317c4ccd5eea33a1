"""The case table on disk: what is written is read back; bad rows are named; no file is ever half-written."""

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from esi_triage.data.open_corpus import open_cases
from esi_triage.data.table import read_cases, write_cases
from esi_triage.errors import InputError
from esi_triage.esi import Case


@pytest.mark.parametrize("name", ["cases.parquet", "cases.jsonl"])
def test_round_trip(tmp_path: Path, name: str) -> None:
    cases = list(open_cases(200))
    assert write_cases(cases, tmp_path / name) == 200
    assert read_cases(tmp_path / name) == (cases, [])


def test_every_column_says_what_it_is(tmp_path: Path) -> None:
    write_cases(open_cases(1), tmp_path / "cases.parquet")
    schema = pq.read_schema(tmp_path / "cases.parquet")
    assert set(schema.names) == set(Case.model_fields)
    assert b"ESI level" in schema.field("gold").metadata[b"about"]


def test_bad_rows_are_named_and_good_ones_kept(tmp_path: Path) -> None:
    file = tmp_path / "mixed.jsonl"
    rows = [
        {"case_id": "a", "narrative": "chest pain", "gold": 2, "style": "unknown columns are fine"},
        {"case_id": "b", "narrative": "chest pain", "gold": 7},
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
