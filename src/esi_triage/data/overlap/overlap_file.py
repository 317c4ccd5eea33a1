"""The overlap that `esi data check` found, as a file: rows of a training table that a build must leave out.

JSON lines: `case_id` and `reason`. No text of a row, and no id of a patient.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from ...atomic_files import write_text
from ...errors import InputError
from ..case_table import BadRow, read_rows


def write_overlap(seen: Mapping[str, str], file: Path) -> None:
    """Write case_ids and why each must go."""
    rows = ({"case_id": case_id, "reason": reason} for case_id, reason in seen.items())
    write_text(file, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def read_overlap(file: Path) -> dict[str, str]:
    """Case_ids to leave out, and why. Raises InputError, naming file and row, where it is no such file."""
    found = {}
    for number, row in enumerate(read_rows(file), start=1):
        if isinstance(row, BadRow) or not isinstance(row.get("case_id"), str):
            raise InputError(f"{file}: row {number} has no case_id; give what `esi data check --output` has written.")
        found[row["case_id"]] = str(row.get("reason") or f"in {file.name}")
    return found


def without_overlap(tables: Iterable[pa.Table], overlap: Mapping[str, str], bad: list[BadRow]) -> Iterator[pa.Table]:
    """Pass case tables on without the rows in `overlap`, which are added to `bad`.

    Raises InputError at the end where not one of them was there: the file is another table's.
    """
    before = 0
    left_out: list[BadRow] = []
    for table in tables:
        ids = table["case_id"].to_pylist()
        left_out += [
            BadRow(before + place, case_id, f"excluded: {overlap[case_id]}")
            for place, case_id in enumerate(ids, start=1)
            if case_id in overlap
        ]
        before += len(table)
        yield table.filter(pa.array([case_id not in overlap for case_id in ids], pa.bool_()))
    if not left_out:
        raise InputError(f"--exclude: none of its {len(overlap)} case_ids is in this table; give its own file.")
    bad += left_out
