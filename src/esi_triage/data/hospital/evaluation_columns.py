"""The columns of a hospital's table that only evaluation reads: groups of patients, and outcomes after triage.

They lie beside the case table in files of their own, NAME.groups.parquet and NAME.outcomes.parquet, keyed by case_id.
Nothing of them enters a case.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from duckdb import DuckDBPyConnection

from ...atomic_files import whole
from ...errors import InputError
from ..case_table import BadRow
from .cells import coded
from .column_map import ColumnMap, OutcomeColumn
from .sheet import quoted

_ENOUGH = 50  # rows from which a column can be judged as a whole


def remove_evaluation_files(output: Path) -> None:
    """Remove the files of an earlier build, which would belong to another table."""
    for kind in ("groups", "outcomes"):
        _beside(output, kind).unlink(missing_ok=True)


def write_evaluation_files(
    database: DuckDBPyConnection, columns: ColumnMap, case_ids: Sequence[str], bad: Sequence[BadRow], output: Path
) -> dict[str, Any]:
    """Write the groups (text) and the outcomes (true, false or null) of these cases beside their table `output`.

    `case_ids` are those of the rows of `sheet` that are not `bad`, in order. Returns counts by group and outcome for
    dataset.json. Raises InputError for an outcome most of whose cells are no code.
    """
    left_out = {row.row for row in bad}
    about: dict[str, Any] = {}
    for kind, wanted in (("groups", columns.groups), ("outcomes", columns.outcomes)):
        made: dict[str, pa.Array] = {}
        for name, column in wanted.items():
            taken = column.column if isinstance(column, OutcomeColumn) else column
            cells = [cell for row, cell in _cells(database, taken) if row not in left_out]
            made[name] = _outcome(name, cells, column) if isinstance(column, OutcomeColumn) else pa.array(cells)
        if made:
            table = pa.table({"case_id": pa.array(case_ids, pa.string())} | made)
            with whole(_beside(output, kind), private=columns.licence != "open") as temporary:
                pq.write_table(table, temporary, compression="zstd")
            about[kind] = {name: _counts(column) for name, column in made.items()}
    return about


def _beside(output: Path, kind: str) -> Path:
    return output.with_name(f"{output.stem}.{kind}.parquet")


def _cells(database: DuckDBPyConnection, column: str) -> list[tuple[int, str | None]]:
    return database.execute(
        f"SELECT source_row, cell(CAST({quoted(column)} AS VARCHAR)) FROM sheet ORDER BY source_row"
    ).fetchall()


def _outcome(name: str, cells: Sequence[str | None], column: OutcomeColumn) -> pa.Array:
    codes = {"true": column.true, "false": column.false}
    value = {cell: coded(name, cell, codes)[0] for cell in set(cells)}
    unknown = Counter(cell for cell in cells if cell is not None and value[cell] is None)
    given = sum(cell is not None for cell in cells)
    if given >= _ENOUGH and unknown.total() * 2 > given:
        raise InputError(
            f"outcomes.{name} of the map: {unknown.total():,} of {given:,} cells of column '{column.column}' are no "
            f"code for true or false, most often {unknown.most_common(1)[0][0][:40]!r}. Give "
            f'{name} = {{column = "{column.column}", true = [...], false = [...]}}, or leave it out.'
        )
    return pa.array([None if value[cell] is None else value[cell] == "true" for cell in cells], pa.bool_())


def _counts(column: pa.Array) -> dict[str, int]:
    """How often each value stands there; of a group with many values, only how many there are."""
    found = Counter(column.to_pylist())
    missing = found.pop(None, 0)
    told = {str(value).lower() if isinstance(value, bool) else value: n for value, n in found.most_common()}
    return (told if len(told) <= 20 else {"different values": len(told)}) | {"missing": missing}
