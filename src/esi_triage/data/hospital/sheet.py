"""Any CSV or parquet file as a table of text, in a database in memory: table `sheet`, with `source_row` from 1."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb

from ...errors import InputError
from ...reading import COLUMNS, ROW, first_line, plain_file
from ..case_table import BadRow, is_parquet
from ..literal_path import literal_path

_ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".parquet")
_DELIMITERS = ",;\t|"
_REASONS = {
    "INVALID ENCODING": "holds bytes that are not UTF-8; convert the file, e.g. with iconv -f WINDOWS-1252 -t UTF-8",
    "TOO MANY COLUMNS": "has more cells than the header; is a delimiter inside a cell without quotes?",
    "MISSING COLUMNS": "has fewer cells than the header",
    "LINE SIZE OVER MAXIMUM": f"is longer than {ROW:,} bytes",
}


class Sheet(NamedTuple):
    """`rows` counts the file's rows, those that could not be read (`unread`) included."""

    database: duckdb.DuckDBPyConnection
    rows: int
    unread: list[BadRow]


def header(file: Path) -> list[str]:
    """The names of a file's columns, in order, those without a name left out: they cannot be mapped.

    Raises InputError for a file that is no table, or has a name twice.
    """
    names = list(filter(None, _cells_of_header(file)))
    if not names:
        raise InputError(f"{file}: there is no header line.")
    seen: set[str] = set()  # case aside: for DuckDB, HR and hr are one column
    for name in names:
        if name.casefold() in seen:
            raise InputError(f"{file}: column {name!r} occurs twice; rename one of the two.")
        seen.add(name.casefold())
    return names


def _cells_of_header(file: Path) -> list[str]:
    if not file.name.lower().endswith(_ENDINGS):
        raise InputError(f"{file}: a table is read from {', '.join(_ENDINGS)}, not from '{file.suffix}'.")
    plain_file(file)
    try:
        if is_parquet(file):
            names = duckdb.connect().read_parquet(literal_path(file), hive_partitioning=False).columns
        else:
            line = first_line(file)
            names = [name.strip() for name in next(csv.reader([line], delimiter=_delimiter(line)), [])]
    except (csv.Error, duckdb.Error) as error:
        raise InputError(f"{file}: cannot be read ({str(error).splitlines()[0]}).") from None
    if len(names) > COLUMNS:
        raise InputError(
            f"{file}: {len(names):,} columns, at most {COLUMNS:,} are read; leave out those that say nothing."
        )
    return names


def read_sheet(file: Path, columns: Sequence[str], names: Sequence[str] = ()) -> Sheet:
    """Read those columns as text. `names` stand in for those of a CSV header that is spoilt (`header`), in its order.

    Raises InputError for a file that cannot be read to its end.
    """
    names = names or header(file)
    if clash := next((name for name in columns if name.casefold() == "source_row"), None):
        raise InputError(f"{file}: column {clash!r} has the name that row numbers are given here; rename it.")
    database = duckdb.connect()
    wanted = ", ".join(map(quoted, columns))
    try:
        if is_parquet(file):
            texts = ", ".join(f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}" for name in columns)
            database.execute(
                f"CREATE TABLE cells AS SELECT {texts} FROM read_parquet($file, hive_partitioning = false)",
                {"file": literal_path(file)},
            )
        else:
            # every name and sign is given: guessing them from the content fails on the very rows that are bad
            reader = (
                "read_csv($file, header = true, auto_detect = false, delim = $delimiter, quote = '\"', escape = '\"', "
                f"columns = $types, max_line_size = {ROW}, store_rejects = true, hive_partitioning = false)"
            )
            values = {
                "file": literal_path(file),
                "delimiter": _delimiter(first_line(file)),
                "types": dict.fromkeys(_placed(file, names), "VARCHAR"),
            }
            database.execute(f"CREATE TABLE cells AS SELECT {wanted} FROM {reader}", values)
    except duckdb.Error as error:
        raise InputError(f"{file}: cannot be read to the end ({str(error).splitlines()[0]}).") from None
    unread = [] if is_parquet(file) else _unread(database, file)
    return _numbered(database, unread)


def quoted(name: str) -> str:
    """A column's name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def _placed(file: Path, names: Sequence[str]) -> list[str]:
    """One name for each column of a CSV file; no name in a header begins with a space, so none is taken twice."""
    given = iter(names)
    return [next(given) if cell else f" {place}" for place, cell in enumerate(_cells_of_header(file), start=1)]


def _delimiter(line: str) -> str:
    return max(_DELIMITERS, key=line.count)


def _unread(database: duckdb.DuckDBPyConnection, file: Path) -> list[BadRow]:
    rejects = database.execute(
        "SELECT line - 1, min(error_type::VARCHAR) FROM reject_errors GROUP BY line ORDER BY line"
    )
    rows = rejects.fetchall()
    unclosed = next((row for row, error in rows if error == "UNQUOTED VALUE"), None)
    if unclosed is not None:
        raise InputError(
            f"{file}: row {unclosed} has a quotation mark that is never closed; rows after it would be lost."
        )
    return [
        BadRow(row, None, f"the row {_REASONS.get(error, f'cannot be read ({error.lower()})')}") for row, error in rows
    ]


def _numbered(database: duckdb.DuckDBPyConnection, unread: list[BadRow]) -> Sheet:
    """Adds `source_row`, the row's place in the file, past those that were not read."""
    ((read,),) = database.execute("SELECT count(*) FROM cells").fetchall()
    rows, taken = read + len(unread), [row.row for row in unread]
    database.execute(
        # blank lines are no rows but count as lines, so the line of a bad row may lie beyond the number of rows
        "CREATE TABLE places AS SELECT n AS source_row FROM range(1, $last + 1) AS r(n) "
        "WHERE NOT list_contains($taken, n) ORDER BY n LIMIT $read",
        {"last": max([rows, *taken]) + len(taken), "taken": taken, "read": read},
    )
    database.execute("CREATE TABLE sheet AS SELECT source_row, cells.* FROM cells POSITIONAL JOIN places")
    return Sheet(database, rows, unread)
