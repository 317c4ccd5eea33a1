"""A chief complaint that is spread over columns of 0 and 1, one a complaint (cc_chestpain, cc_fever, ...)."""

from collections.abc import Sequence
from pathlib import Path

from duckdb import DuckDBPyConnection

from ...errors import InputError
from .column_map import ComplaintFlags
from .sheet import quoted

COLUMN = "complaint told by flags"


def flag_columns(flags: ComplaintFlags, present: Sequence[str], where: Path) -> list[str]:
    """The columns of the flags in a file. Raises InputError where there are none."""
    found = [name for name in present if name.startswith(flags.prefix)]
    if not found:
        raise InputError(
            f"{where}: no column begins with '{flags.prefix}' (complaint_flags.prefix of the map). "
            f"Its columns are: {', '.join(present)[:300]}."
        )
    return found


def add_complaint(database: DuckDBPyConnection, flags: ComplaintFlags, columns: Sequence[str]) -> None:
    """Add the column `COLUMN` to `sheet`: the words of every flag that is 1, in the order of the file; else null."""
    database.execute(f"ALTER TABLE sheet ADD COLUMN {quoted(COLUMN)} VARCHAR")
    told = []
    values = []
    for column in columns:
        name = column.removeprefix(flags.prefix)
        told.append(f"CASE WHEN TRY_CAST({quoted(column)} AS DOUBLE) = 1 THEN ? END")
        values.append(flags.words.get(name, name) or None)
    listed = f"list_filter([{', '.join(told)}], lambda words: words IS NOT NULL)"
    database.execute(f"UPDATE sheet SET {quoted(COLUMN)} = nullif(array_to_string({listed}, ', '), '')", values)
