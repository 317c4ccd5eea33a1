"""The case table on disk: parquet (or JSON lines), one row a case, the columns of `Case`."""

import json
import re
from array import array
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from ..atomic_files import quarantine_of, whole
from ..errors import InputError, first_problem
from ..esi import Case, Vitals
from ..reading import DAMAGED, NARRATIVE, ROW, not_utf8, strict_json

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")  # an escape that may be half of a pair; only an escape can be
_NUMBERS = ("age_years", *Vitals.model_fields, "weight")
_TYPES = {
    **dict.fromkeys(_NUMBERS, pa.float64()),
    **dict.fromkeys(("gold", "human_level"), pa.int8()),
    "also_ok": pa.list_(pa.int8()),
    **dict.fromkeys(("quality", "red_flags", "resources", "tags"), pa.list_(pa.string())),
}


def _column(name: str) -> pa.Field:
    about = Case.model_fields[name].description or ""
    required = Case.model_fields[name].is_required()
    return pa.field(name, _TYPES.get(name, pa.string()), nullable=not required, metadata={"about": about})


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


def as_table(columns: dict[str, pa.Array], n: int) -> pa.Table:
    """Columns of `n` rows as a table with `SCHEMA`; one that the source lacks holds the field's default."""
    rows = [columns[field.name] if field.name in columns else _default(field, n) for field in SCHEMA]
    return pa.table([column.cast(field.type) for column, field in zip(rows, SCHEMA, strict=True)], schema=SCHEMA)


def _default(field: pa.Field, n: int) -> pa.Array:
    value = Case.model_fields[field.name].default
    return pa.array([list(value) if isinstance(value, tuple) else value] * n, field.type)


def write_tables(tables: Iterable[pa.Table], file: Path, ending: str) -> int:
    """Stream tables with `SCHEMA` to `file`, as parquet or JSON lines by `ending`; returns the number of rows."""
    n = 0
    if ending == ".jsonl":
        with file.open("w", encoding="utf-8") as stream:
            for table in tables:
                stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in table.to_pylist())
                n += len(table)
        return n
    with pq.ParquetWriter(file, SCHEMA, compression="zstd", write_page_checksum=True) as writer:
        for table in tables:
            writer.write_table(table)
            n += len(table)
    return n


def check_output(path: Path) -> None:
    """Raises InputError where a case table cannot be written under that name."""
    if path.suffix not in (".parquet", ".jsonl"):
        raise InputError(f"{path}: a case table is written as .parquet or .jsonl; choose a name that ends so.")


def read_rows(
    path: Path, wanted: Container[str] | None = None, first: int = 1, offset: int = 0
) -> Iterator[dict[str, Any] | BadRow]:
    """The rows of a .parquet or .jsonl file as dictionaries, in order; a row that cannot be read is a BadRow.

    Of a parquet file only the columns `wanted` are read; the others are there, and null. From row `first` on, which in
    JSON lines begins at byte `offset` (`line_offsets`).
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file.")
    if is_parquet(path):
        yield from _parquet_rows(path, wanted, first)
    elif path.suffix.lower() in (".jsonl", ".ndjson"):
        yield from _json_lines(path, first, offset)
    else:
        sheet = " Make a case table of a sheet with `esi data map` and `esi data build table`."
        raise InputError(
            f"{path}: cases are read from .parquet or .jsonl, not from '{path.suffix}'."
            f"{sheet if path.suffix.lower() in ('.csv', '.tsv', '.xlsx') else ''}"
        )


def checked_rows(path: Path) -> Iterator[Case | BadRow]:
    """Every row of a file as a case, or named with what is wrong with it, in order: the one way from rows to cases.

    A row needs `case_id` and `narrative`, and a case_id of its own. Columns that the case table does not have are
    ignored; a row that does not say its licence counts as credentialed, and one that does not say its source has the
    file's name. A reason shows the value only where the row is open.
    """
    first: dict[str, int] = {}
    for number, row in enumerate(read_rows(path, Case.model_fields), start=1):
        case = check_row(number, row, path.stem)
        if isinstance(case, Case):
            seen = first.setdefault(case.case_id, number)
            if seen != number:
                case = second_row(number, case.case_id, seen)
        yield case


def read_cases(path: Path) -> tuple[list[Case], list[BadRow]]:
    """Good cases and bad rows of a file (`checked_rows`)."""
    rows = list(checked_rows(path))
    return [row for row in rows if isinstance(row, Case)], [row for row in rows if isinstance(row, BadRow)]


def good_cases(path: Path) -> list[Case]:
    """The cases of a file in which every row must be one. Raises InputError for a bad row: none is dropped unseen."""
    found, bad = read_cases(path)
    if bad:
        raise all_bad(path, bad)
    return found


def all_bad(path: Path | str, bad: Sequence[BadRow]) -> InputError:
    """The error for bad rows where none may be."""
    return InputError(f"{path}: row {bad[0].row}: {bad[0].reason} ({len(bad)} bad rows in all); correct it.")


def second_row(number: int, case_id: str, first: int) -> BadRow:
    """A row whose case_id stands in row `first` already."""
    return BadRow(number, case_id, f"case_id stands in row {first} already; ids are unique")


def check_row(number: int, row: dict[str, Any] | BadRow, source: str) -> Case | BadRow:
    """One row as a case, or named with what is wrong with it; ids of other rows are not looked at (`checked_rows`)."""
    if isinstance(row, BadRow):
        return row
    named = _case_id(row)
    narrative = row.get("narrative")
    if named is None:
        return BadRow(number, None, "case_id is missing, or neither text nor a number")
    if narrative is None or (isinstance(narrative, str) and not narrative.strip()):
        return BadRow(number, named, "narrative is missing or blank")
    if isinstance(narrative, str) and len(narrative) > NARRATIVE:
        return BadRow(number, named, f"narrative has {len(narrative)} characters; at most {NARRATIVE}")
    known = {name: row[name] for name in Case.model_fields if row.get(name) is not None}
    try:
        return Case.model_validate({"source": source, "licence": "credentialed", **known})
    except ValidationError as error:
        return BadRow(number, named, first_problem(error, show_value=row.get("licence") == "open"))


def write_quarantine(bad: Iterable[BadRow], output: Path) -> None:
    """Write the bad rows beside `output`, for their owner alone, or remove an older file of them."""
    file, rows = quarantine_of(output), iter(bad)
    one = next(rows, None)
    if one is None:
        file.unlink(missing_ok=True)
        return
    with whole(file, private=True) as temporary, temporary.open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in chain([one], rows))


def _case_id(row: dict[str, Any]) -> str | None:
    """The id of a row for a message: of an id that is none (a list, half a surrogate pair) nothing, or an escape."""
    found = row.get("case_id")
    if not isinstance(found, (str, int, float)) or not str(found).strip():
        return None
    return str(found)[:200].encode("utf-8", "backslashreplace").decode()


def is_parquet(path: Path) -> bool:
    """True for a name that ends in .parquet, in capitals or not."""
    return path.suffix.lower() == ".parquet"


def count_rows(path: Path) -> int:
    """The number of rows of a .parquet or .jsonl file, those that cannot be used included."""
    return _parquet(path).metadata.num_rows if is_parquet(path) else len(line_offsets(path))


def line_offsets(path: Path) -> Sequence[int]:
    """The bytes at which the rows of a file of JSON lines begin; blank lines are no rows."""
    if not path.is_file():
        raise InputError(f"{path}: there is no such file.")
    offsets, place = array("q"), 0
    with path.open("rb") as stream:
        while line := stream.readline(ROW + 1):
            blank = not line.strip()
            if not blank:
                offsets.append(place)
            place += len(line)
            while not blank and len(line) >= ROW and not line.endswith(b"\n"):  # the rest of a line that is too long
                line = stream.readline(ROW)
                place += len(line)
    return offsets


def _parquet(path: Path) -> pq.ParquetFile:
    if not path.is_file():
        raise InputError(f"{path}: there is no such file.")
    try:
        return pq.ParquetFile(path, page_checksum_verification=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable parquet file ({error}).") from None


def _parquet_rows(path: Path, wanted: Container[str] | None, first: int) -> Iterator[dict[str, Any] | BadRow]:
    """The rows from `first` on, part by part (row group), with the columns that are not wanted as null."""
    file = _parquet(path)
    names = file.schema_arrow.names
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{path}: column {twice!r} occurs twice; rename one of the two.")
    read = [name for name in names if wanted is None or name in wanted]
    empty = dict.fromkeys(names)
    done = 0
    for group in range(file.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        if done + rows >= first:
            for row in _group_rows(path, file, group, read, (done, rows, max(0, first - 1 - done))):
                yield row if isinstance(row, BadRow) else empty | row
        done += rows


def _group_rows(
    path: Path, file: pq.ParquetFile, group: int, read: list[str], place: tuple[int, int, int]
) -> Iterator[dict[str, Any] | BadRow]:
    """The rows of a group without the first to skip: of a damaged one, those that cannot be read are named.

    `place`: rows of the file before the group, rows of the group, and rows of it to skip.
    """
    done, rows, skip = place
    found = 0
    try:
        for batch in file.iter_batches(10_000, [group], read) if read else ():
            found += batch.num_rows
            yield from _cells(batch.slice(max(0, skip - found + batch.num_rows)), done + found)
    except (pa.ArrowException, OSError) as error:
        reason = f"row group {group + 1} is damaged ({error})"
        yield from (row for row in _damaged(path, done + found, rows - found, reason) if row.row > done + skip)
    else:
        yield from ({} for _ in range(0 if read else rows - skip))


def _damaged(path: Path, done: int, lost: int, reason: str) -> Iterator[BadRow]:
    if lost > DAMAGED:
        raise InputError(f"{path}: {lost:,} rows cannot be read: {reason}. Get the file again.")
    yield from (BadRow(done + i, None, reason) for i in range(1, lost + 1))


def _cells(batch: pa.RecordBatch, end: int) -> Iterator[dict[str, Any] | BadRow]:
    """The rows of a batch that ends with row `end`; one with a cell that Python cannot hold is a BadRow."""
    try:
        yield from batch.to_pylist()
        return
    except (ValueError, OverflowError, pa.ArrowException):  # UnicodeDecodeError is a ValueError
        pass
    for i in range(batch.num_rows):
        row, column = {}, ""
        try:
            for column, cells in zip(batch.schema.names, batch.columns, strict=True):
                row[column] = cells[i].as_py()
        except (ValueError, OverflowError, pa.ArrowException) as error:
            why = not_utf8(error) if isinstance(error, UnicodeDecodeError) else type(error).__name__
            named = _case_id(row) if "case_id" in row else None
            yield BadRow(end - batch.num_rows + i + 1, named, f"{column}: the cell cannot be read ({why})")
        else:
            yield row


def _json_lines(path: Path, first: int, offset: int) -> Iterator[dict[str, Any] | BadRow]:
    with path.open("rb") as stream:
        stream.seek(offset)
        number = first - 1
        while line := stream.readline(ROW + 1):
            if not line.strip():
                continue
            number += 1
            if len(line) > ROW:
                while line and not line.endswith(b"\n"):
                    line = stream.readline(ROW)
                yield BadRow(number, None, f"the line is longer than {ROW:,} bytes")
                continue
            try:
                row = strict_json(line)
            except UnicodeDecodeError as error:
                yield BadRow(number, None, f"not JSON: byte {error.start + 1} of the line is not UTF-8")
                continue
            except ValueError as error:
                yield BadRow(number, None, f"not JSON: {error}")
                continue
            if not isinstance(row, dict):
                yield BadRow(number, None, "not a JSON object")
                continue
            yield _text_only(row, number) if _SURROGATE.search(line) else row


def _text_only(row: dict[str, Any], number: int) -> dict[str, Any] | BadRow:
    """The row, unless a field holds half a surrogate pair: nothing that has it can be written."""
    for name, value in row.items():
        try:
            json.dumps([name, value], ensure_ascii=False).encode()
        except UnicodeEncodeError:
            named = name.encode("utf-8", "backslashreplace").decode()
            return BadRow(number, _case_id(row), f"{named}: it holds half a surrogate pair, which is no text")
    return row
