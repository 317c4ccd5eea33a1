"""One release as a table of text: only the columns that may be read, under their official names."""

import io
from collections.abc import Callable, Sequence
from typing import NamedTuple

import duckdb
import pyarrow as pa

from ...atomic_files import sha256_of
from ...errors import InputError
from ..case_table import BadRow
from ..hospital.sheet import read_sheet
from .glimpse import DAMAGED, as_year, column, data_stream, frames
from .layouts import KEYS, Layout, layout_of
from .year_files import YearFile

_WRONG_YEARS = 0.05  # share of rows of another year above which a file is not one year's with a few bad cells
_AT_ONCE = 20_000  # rows of a SAS or Stata file, each some 900 columns: 150 MB
Read = tuple[pa.Table, list[BadRow]]


class YearTable(NamedTuple):
    """`cells` has text columns and source_row from 1; `rows` counts those that could not be read (`unread`), too."""

    file: YearFile
    year: int
    sha256: str
    rows: int
    cells: pa.Table
    unread: list[BadRow]
    missing: tuple[str, ...]


def read_year(file: YearFile, year: int, names: Sequence[str], history: bool) -> YearTable:
    """Read a file whose year and columns `glimpse` found; the columns of chronic conditions only with `history`.

    Raises InputError for a damaged file, a year that cannot be used and a required column that is missing.
    """
    layout = layout_of(year, file.path)
    wanted = _wanted(file, layout, names)
    if not history:
        wanted = {name: own for name, own in wanted.items() if name not in layout.history}
    try:
        digest = sha256_of(file.path)  # to the end: a cut-off gzip fails here
        cells, unread = _READERS[file.form](file, wanted, year)
    except DAMAGED as error:
        raise InputError(f"{file.path}: cannot be read to the end ({error}). Fetch it again.") from None
    _one_year(file, year, cells)
    expected = layout.outcomes if file.outcomes_only else layout.optional
    missing = tuple(name for name in expected if name not in cells.column_names)
    return YearTable(file, year, digest, cells.num_rows + len(unread), cells, unread, missing)


def _wanted(file: YearFile, layout: Layout, names: Sequence[str]) -> dict[str, str]:
    """Official name to the file's own name, of the columns to read."""
    if file.form == "fixed width":
        return {}
    needed = KEYS if file.outcomes_only else layout.required
    lacking = next((name for name in needed if column(names, name) is None), None)
    if lacking:
        raise InputError(f"{file.path}: column '{lacking}' is missing. A release needs {', '.join(needed)}.")
    flags = () if file.outcomes_only else layout.imputed_flag
    if flags and not any(column(names, flag) for flag in flags):
        raise InputError(
            f"{file.path}: the release has imputed levels, and no column {' or '.join(flags)} that says which; levels "
            "guessed from the diagnosis would be learnt. Get the whole release, or leave the year out."
        )
    allowed = ("YEAR", *KEYS, *layout.outcomes) if file.outcomes_only else layout.readable()
    return {name: own for name in allowed if (own := column(names, name)) is not None}


def _one_year(file: YearFile, year: int, cells: pa.Table) -> None:
    stated = cells["YEAR"].value_counts().to_pylist() if "YEAR" in cells.column_names else []
    counts = {as_year(found["values"]): found["counts"] for found in stated}
    others = sorted(other for other in counts if other is not None and other != year)
    if sum(counts[other] for other in others) > max(2, _WRONG_YEARS * cells.num_rows):
        raise InputError(f"{file.path}: holds the years {', '.join(map(str, [year, *others]))}; give one file a year.")


def _csv(file: YearFile, wanted: dict[str, str], year: int) -> Read:
    sheet = read_sheet(file.path, list(wanted.values()))
    with sheet.database as database:
        cells = database.table("sheet").to_arrow_table()
    return cells.rename_columns(["source_row", *wanted]), sheet.unread


def _framed(file: YearFile, wanted: dict[str, str], year: int) -> Read:
    with data_stream(file) as stream:
        pieces = [
            pa.Table.from_pandas(frame[list(wanted.values())], preserve_index=False).rename_columns(list(wanted))
            for frame in frames(file, _AT_ONCE, stream)
        ]
        while stream.read(1 << 20):  # to the end: there a zip's checksum is verified
            pass
    if not pieces:
        raise InputError(f"{file.path}: holds no rows. Fetch it again, or take it out of the folder.")
    numbers = pa.concat_tables(pieces, promote_options="permissive")
    with duckdb.connect() as database:
        database.register("numbers", numbers)
        texts = database.sql("SELECT row_number() OVER () AS source_row, COLUMNS(*)::VARCHAR FROM numbers")
        return texts.to_arrow_table(), []


def _fixed_width(file: YearFile, wanted: dict[str, str], year: int) -> Read:
    layout = layout_of(year, file.path)
    if layout.fixed_width is None or year not in layout.fixed_width.keys:
        raise InputError(
            f"{file.path}: the record places of {year} are not known well enough to read a fixed-width file. "
            f"Get the SAS or Stata release of {year} (`esi data fetch nhamcs --years {year}`)."
        )
    places = layout.fixed_width.keys[year] | layout.fixed_width.places
    end = max(last for _, last in places.values())
    records: list[tuple[int, str]] = []
    unread: list[BadRow] = []
    with data_stream(file) as stream:
        for number, line in enumerate(io.TextIOWrapper(stream, encoding="latin-1", newline="\n"), start=1):
            record = line.rstrip("\r\n\x1a")
            if len(record) >= end:
                records.append((number, record))
            else:
                unread.append(BadRow(number, None, f"the record has {len(record)} places, {end} are needed"))
    columns = {
        name: [record[first - 1 : last].strip() for _, record in records] for name, (first, last) in places.items()
    }
    arrays = {name: pa.array(cells, pa.string()) for name, cells in columns.items()}
    return pa.table({"source_row": pa.array([number for number, _ in records], pa.int64()), **arrays}), unread


_READERS: dict[str, Callable[[YearFile, dict[str, str], int], Read]] = {
    "csv": _csv,
    "sas": _framed,
    "stata": _framed,
    "fixed width": _fixed_width,
}
