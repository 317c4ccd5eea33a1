"""Any CSV or parquet file as a table of text, in a database in memory: table `sheet`, with `source_row` from 1."""

import csv
import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb

from ..errors import InputError
from .table import BadRow

_ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".parquet")
_DELIMITERS = ",;\t|"
_LONGEST_ROW = 16_000_000  # bytes; longer rows go to quarantine
_REASONS = {
    "INVALID ENCODING": "holds bytes that are not UTF-8; convert the file, e.g. with iconv -f WINDOWS-1252 -t UTF-8",
    "TOO MANY COLUMNS": "has more cells than the header; is a delimiter inside a cell without quotes?",
    "MISSING COLUMNS": "has fewer cells than the header",
    "LINE SIZE OVER MAXIMUM": f"is longer than {_LONGEST_ROW:,} bytes",
}


class Sheet(NamedTuple):
    """`rows` counts the file's rows, those that could not be read (`unread`) included."""

    database: duckdb.DuckDBPyConnection
    rows: int
    unread: list[BadRow]


def header(file: Path) -> list[str]:
    """The names of a file's columns, in order. Raises InputError for a file that is none, or has a name twice."""
    if not file.name.endswith(_ENDINGS):
        raise InputError(f"{file}: a table is read from {', '.join(_ENDINGS)}, not from '{file.suffix}'.")
    try:
        if file.suffix == ".parquet":
            names = duckdb.connect().read_parquet(str(file)).columns
        else:
            line = _first_line(file)
            names = [name.strip() for name in next(csv.reader([line], delimiter=_delimiter(line)), [])]
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, duckdb.Error) as error:
        raise InputError(f"{file}: cannot be read ({str(error).splitlines()[0]}).") from None
    twice = [name for i, name in enumerate(names) if name in names[:i]]
    if not any(names) or twice:
        raise InputError(f"{file}: {f'column {twice[0]!r} occurs twice' if twice else 'there is no header line'}.")
    return names


def read_sheet(file: Path, columns: Sequence[str], names: Sequence[str] = ()) -> Sheet:
    """Read those columns as text. `names` stand in for a CSV header that is spoilt, in its order.

    Raises InputError for a file that cannot be read to its end.
    """
    names = names or header(file)
    database = duckdb.connect()
    wanted = ", ".join(map(quoted, columns))
    try:
        if file.suffix == ".parquet":
            texts = ", ".join(f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}" for name in columns)
            database.execute(f"CREATE TABLE cells AS SELECT {texts} FROM read_parquet($file)", {"file": str(file)})
        else:
            # every name and sign is given: guessing them from the content fails on the very rows that are bad
            reader = (
                "read_csv($file, header = true, auto_detect = false, delim = $delimiter, quote = '\"', escape = '\"', "
                f"columns = $types, max_line_size = {_LONGEST_ROW}, store_rejects = true)"
            )
            values = {
                "file": str(file),
                "delimiter": _delimiter(_first_line(file)),
                "types": dict.fromkeys(names, "VARCHAR"),
            }
            database.execute(f"CREATE TABLE cells AS SELECT {wanted} FROM {reader}", values)
    except duckdb.Error as error:
        raise InputError(f"{file}: cannot be read to the end ({str(error).splitlines()[0]}).") from None
    unread = [] if file.suffix == ".parquet" else _unread(database, file)
    return _numbered(database, unread)


def quoted(name: str) -> str:
    """A column's name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def _first_line(file: Path) -> str:
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
        return stream.readline().decode("utf-8-sig").rstrip("\r\n")


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
    rows = read + len(unread)
    database.execute(
        "CREATE TABLE places AS SELECT n AS source_row FROM range(1, $rows + 1) AS r(n) "
        "WHERE NOT list_contains($taken, n) ORDER BY n",
        {"rows": rows, "taken": [row.row for row in unread]},
    )
    database.execute("CREATE TABLE sheet AS SELECT source_row, cells.* FROM cells POSITIONAL JOIN places")
    return Sheet(database, rows, unread)
