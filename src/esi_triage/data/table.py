"""The case table on disk: parquet (or JSON lines), one row a case, the columns of `Case`."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from ..errors import InputError, first_problem
from ..esi import Case
from ..files import whole, write_text

_TEXT = ("case_id", "source", "licence", "subject_id", "stay_id", "split", "narrative", "chief_complaint", "sex")
_TYPES = {**dict.fromkeys(_TEXT, pa.string()), **dict.fromkeys(("arrival", "pain_raw", "gold_source"), pa.string())}
_TYPES |= {"gold": pa.int8(), "tags": pa.list_(pa.string())}


def _column(name: str) -> pa.Field:
    about = Case.model_fields[name].description or ""
    required = Case.model_fields[name].is_required()
    return pa.field(name, _TYPES.get(name, pa.float64()), nullable=not required, metadata={"about": about})


SCHEMA = pa.schema([_column(name) for name in Case.model_fields])


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used: where it stands (from 1), its case_id where it has one, and why."""

    row: int
    case_id: str | None
    reason: str


def write_cases(cases: Iterable[Case], path: Path) -> int:
    """Stream cases to `path` (.parquet or .jsonl) and return how many. The file is whole or absent."""
    check_output(path)
    with whole(path) as temporary:
        return write_tables(as_tables(cases), temporary, path.suffix)


def as_tables(cases: Iterable[Case]) -> Iterator[pa.Table]:
    """Cases as Arrow tables with `SCHEMA`, 10,000 rows at a time."""
    rows = iter(cases)
    while batch := [case.model_dump() for case in islice(rows, 10_000)]:
        yield pa.Table.from_pylist(batch, SCHEMA)


def write_tables(tables: Iterable[pa.Table], file: Path, ending: str) -> int:
    """Stream tables with `SCHEMA` to `file`, as parquet or JSON lines by `ending`; returns the number of rows."""
    n = 0
    if ending == ".jsonl":
        with file.open("w", encoding="utf-8") as stream:
            for table in tables:
                stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in table.to_pylist())
                n += len(table)
        return n
    with pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table)
            n += len(table)
    return n


def check_output(path: Path) -> None:
    """Raises InputError where a case table cannot be written under that name."""
    if path.suffix not in (".parquet", ".jsonl"):
        raise InputError(f"{path}: a case table is written as .parquet or .jsonl; choose a name that ends so.")


def read_rows(path: Path) -> Iterator[dict[str, Any] | BadRow]:
    """The rows of a .parquet or .jsonl file as dictionaries, in order; a line that is no JSON object is a BadRow."""
    if not path.is_file():
        raise InputError(f"{path}: there is no such file.")
    if path.suffix == ".parquet":
        yield from _parquet_rows(path)
    elif path.suffix in (".jsonl", ".ndjson"):
        yield from _json_lines(path)
    else:
        raise InputError(f"{path}: cases are read from .parquet or .jsonl, not from '{path.suffix}'.")


def read_cases(path: Path) -> tuple[list[Case], list[BadRow]]:
    """Good cases and bad rows of a file.

    A row needs `case_id` and `narrative`. Columns that the case table does not have are ignored; a row that does not
    say its licence counts as credentialed, and one that does not say its source has the file's name.
    """
    cases, bad = [], []
    for number, row in enumerate(read_rows(path), start=1):
        if isinstance(row, BadRow):
            bad.append(row)
            continue
        known = {name: row[name] for name in Case.model_fields if row.get(name) is not None}
        try:
            cases.append(Case.model_validate({"source": path.stem, "licence": "credentialed", **known}))
        except ValidationError as error:
            bad.append(BadRow(number, _case_id(row), first_problem(error)))
            continue
        if not cases[-1].narrative.strip():
            empty = cases.pop()
            bad.append(BadRow(number, empty.case_id, "narrative is blank; a case needs text to triage"))
    return cases, bad


def write_quarantine(bad: list[BadRow], output: Path) -> None:
    """Write the bad rows beside `output`, or remove an older file of them where there are none now."""
    file = output.with_name(f"{output.name}.quarantine.jsonl")
    if bad:
        write_text(file, "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in bad))
    else:
        file.unlink(missing_ok=True)


def _case_id(row: dict[str, Any]) -> str | None:
    return str(row["case_id"]) if row.get("case_id") else None


def _parquet_rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path}: not a readable parquet file ({error}).") from None
    for batch in file.iter_batches(10_000):
        yield from batch.to_pylist()


def _json_lines(path: Path) -> Iterator[dict[str, Any] | BadRow]:
    with path.open("rb") as stream:
        number = 0
        for line in stream:
            if not line.strip():
                continue
            number += 1
            try:
                row = json.loads(line)
            except ValueError as error:
                yield BadRow(number, None, f"not JSON: {error}")
                continue
            yield row if isinstance(row, dict) else BadRow(number, None, "not a JSON object")
