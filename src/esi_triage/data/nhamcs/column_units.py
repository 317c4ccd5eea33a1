"""Whole columns that are not written as the releases write them, e.g. an extract with degrees instead of their tenths.

Cell by cell they would become null, and the table would be without temperatures or complaints.
"""

from collections.abc import Sequence

import duckdb

from ...errors import InputError
from .layouts import written
from .reasons import wordings
from .year_tables import YearTable

_ENOUGH = 50  # values from which a column can be judged as a whole


def check_units(database: duckdb.DuckDBPyConnection, tables: Sequence[YearTable]) -> None:
    """Raises InputError where more than half of a column's values are none, naming file, column, a value and the fix.

    Judged after `visits.sql`, file by file, over columns with at least 50 values.
    """
    for name, about in written("codes")["units"].items():
        for file_no, n, wrong, value in _judged(database, name, about["field"]):
            if n >= _ENOUGH and wrong * 2 > n:
                raise InputError(
                    f"{tables[file_no].file.path}: {wrong:,} of {n:,} values of column {name} cannot be read, the "
                    f"first is {value[:40]!r}. {name} is {about['is']}; write the column so."
                )


def _judged(database: duckdb.DuckDBPyConnection, name: str, field: str) -> list[tuple[int, int, int, str]]:
    """Of each file its number, how many values the column has, how many of them are none, and the first of these."""
    cell, is_reason = f"l.{name}", field == "reasons"
    sound = f"measured({cell}) IN (SELECT unnest($known))" if is_reason else f"v.{field} IS NOT NULL"
    return database.execute(
        "SELECT file_no, count(*), count(*) FILTER (NOT sound), arg_min(cell, source_row) FILTER (NOT sound) FROM ("
        f"SELECT file_no, source_row, trim({cell}) AS cell, coalesce({sound}, false) AS sound "
        "FROM lines AS l JOIN visits AS v USING (file_no, source_row) "
        f"WHERE is_text({cell}) OR measured({cell}) IS NOT NULL) GROUP BY file_no ORDER BY file_no",
        {"known": list(wordings())} if is_reason else {},
    ).fetchall()
