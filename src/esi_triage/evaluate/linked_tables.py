"""Tables that lie beside a case table, keyed by case_id: outcomes after triage, and groups of patients.

Only evaluation reads them; what happened after triage never reaches a narrative, a reader or a reward.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..data.case_table import BadRow, read_rows
from ..errors import InputError
from ..reading import file_text

Columns = dict[str, list[Any]]
"""By column, a value for each case, in order; null where the table says nothing."""


DESIGN = ("stratum", "psu")  # columns of a survey's design are no groups of patients
_FLAGS = {"0": False, "1": True, "0.0": False, "1.0": True, "False": False, "True": True}
_MOSTLY = 0.9  # from this share of 0 and 1 on, anything else in a column is a mistake in an outcome


@dataclass(frozen=True, slots=True)
class Linked:
    """What is known of the cases beside their table, and the name of the outcomes file.

    `not_recorded` are the columns of the outcomes file that have no value for any of these cases.
    """

    outcomes: Columns = field(default_factory=dict)
    groups: Columns = field(default_factory=dict)
    file: str | None = None
    not_recorded: tuple[str, ...] = ()


def read_linked(cases_file: Path, case_ids: Sequence[str], outcomes: Path | None = None) -> Linked:
    """NAME.outcomes.parquet and NAME.groups.parquet beside NAME.parquet, where they are; `outcomes` names another.

    A column of the outcomes file that holds 0, 1 or nothing is an outcome; any other column of it, and every column of
    the groups file, is a group, as text. Columns without a value for these cases are left out. Raises InputError where
    `outcomes` has no outcome with one.
    """
    chosen, beside = outcomes or _beside(cases_file, "outcomes"), _beside(cases_file, "groups")
    told = read_columns(chosen, case_ids) if chosen else {}
    flags = {name: values for name, values in told.items() if all(v is None or isinstance(v, bool) for v in values)}
    named = {name: values for name, values in told.items() if name not in flags}
    named |= read_group_columns(beside, case_ids) if beside else {}
    known = _with_a_value(flags)
    if outcomes and not known:
        raise _says_nothing(outcomes, list(flags))
    unknown = tuple(name for name in flags if name not in known and name not in DESIGN)
    return Linked(known, _with_a_value(named), chosen.name if chosen and flags else None, unknown)


def _with_a_value(columns: Columns) -> Columns:
    return {
        name: values
        for name, values in columns.items()
        if name not in DESIGN and any(value is not None for value in values)
    }


def _says_nothing(file: Path, flags: Sequence[str]) -> InputError:
    if not flags:
        return InputError(f"{file}: no column of it holds 0 and 1; give at least one outcome.")
    return InputError(
        f"{file}: its outcomes ({', '.join(flags)}) have no value for a labelled case; give its own file."
    )


def _beside(cases_file: Path, kind: str) -> Path | None:
    file = cases_file.with_name(f"{cases_file.stem}.{kind}.parquet")
    return file if file.is_file() else None


def read_columns(file: Path, case_ids: Sequence[str]) -> Columns:
    """The columns of a table (.parquet, .jsonl or .csv) for these cases: true and false where all is 0 or 1, else text.

    Raises InputError, naming file, row, column and value, where a column of 0 and 1 holds something else too, for a
    case_id that is missing or occurs twice, and where no case has a row.
    """
    return {name: _flags_or_text(file, name, cells, case_ids) for name, cells in _cells(file, case_ids).items()}


def read_group_columns(file: Path, case_ids: Sequence[str]) -> Columns:
    """The columns of such a table as text, whatever their codes: 0 and 1 name two groups. InputError as above."""
    return {name: _of_cases(cells, case_ids) for name, cells in _cells(file, case_ids).items()}


_Cells = Mapping[str, tuple[int, str | None]]  # a column: row number (from 1) and text, by case_id


def _cells(file: Path, case_ids: Sequence[str]) -> dict[str, _Cells]:
    """The columns beside case_id, by name."""
    rows = _by_case(file)
    if not rows.keys() & set(case_ids):
        raise InputError(f"{file}: none of its {len(rows)} rows has the case_id of a labelled case; give its own file.")
    names = list(dict.fromkeys(name for _, row in rows.values() for name in row if name and name != "case_id"))
    if not names:
        raise InputError(f"{file}: it has no column beside case_id; give at least one.")
    return {
        name: {case_id: (number, _text(row.get(name))) for case_id, (number, row) in rows.items()} for name in names
    }


def _flags_or_text(file: Path, name: str, cells: _Cells, case_ids: Sequence[str]) -> list[Any]:
    other = [(number, text) for number, text in cells.values() if text is not None and text not in _FLAGS]
    flags = sum(text in _FLAGS for _, text in cells.values())
    if other and flags >= _MOSTLY * (flags + len(other)):
        number, text = other[0]
        raise InputError(f"{file}: row {number}: {name} = {text[:80]!r}; an outcome is 0, 1 or nothing.")
    values = _of_cases(cells, case_ids)
    return values if other else [None if value is None else _FLAGS[value] for value in values]


def _of_cases(cells: _Cells, case_ids: Sequence[str]) -> list[str | None]:
    return [cells[case_id][1] if case_id in cells else None for case_id in case_ids]


def _text(value: Any) -> str | None:
    return None if value is None or value != value or not str(value).strip() else str(value).strip()


def _by_case(file: Path) -> dict[str, tuple[int, dict[str, Any]]]:
    """Row number (from 1) and row, by case_id."""
    found: dict[str, tuple[int, dict[str, Any]]] = {}
    for number, row in enumerate(_rows(file), start=1):
        if isinstance(row, BadRow):
            raise InputError(f"{file}: row {number}: {row.reason}; correct it.")
        case_id = row.get("case_id")
        if _text(case_id) is None:
            raise InputError(f"{file}: row {number} has no case_id; every row needs one.")
        if str(case_id) in found:
            first = found[str(case_id)][0]
            raise InputError(f"{file}: rows {first} and {number} have one case_id, {str(case_id)!r}; keep one.")
        found[str(case_id)] = (number, row)
    if not found:
        raise InputError(f"{file}: it has no rows; give case_id and at least one column.")
    return found


def _rows(file: Path) -> Iterable[dict[str, Any] | BadRow]:
    if file.suffix.lower() != ".csv":
        return read_rows(file)
    try:
        return list(csv.DictReader(io.StringIO(file_text(file), newline=""), strict=True))
    except (ValueError, csv.Error) as error:
        raise InputError(f"{file}: it cannot be read as CSV ({error}).") from None
