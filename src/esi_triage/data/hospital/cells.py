"""Cells that are no vital signs: ids, codes, ages. Each cleaning returns the value and the rule that took it away."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from ...reading import numeral

YEARS = {"years": 1.0, "months": 12.0, "days": 365.25}
_OLDEST = 125

Rule = str | None
Value = TypeVar("Value", bound=str)


def identifier(cell: str | None) -> str | None:
    """An id as text; a whole number that a spreadsheet wrote as 1001.0 is 1001."""
    return re.sub(r"(?<=\d)\.0+$", "", cell) if cell else None


def coded(name: str, cell: str | None, codes: Mapping[Value, Sequence[str]]) -> tuple[Value | None, Rule]:
    """The value whose codes hold the cell, case aside."""
    if cell is None:
        return None, None
    found = next((value for value, known in codes.items() if cell.casefold() in map(str.casefold, known)), None)
    return found, None if found else f"{name}_unknown_code"


def age_in_years(cell: str | None, unit: str) -> tuple[float | None, Rule]:
    """Age in years from years, months or days (`YEARS`)."""
    if cell is None:
        return None, None
    age = numeral(cell)
    return (None, "age_not_a_number") if age is None else _possible(age / YEARS[unit])


def age_between(born: str | None, arrived: str | None, forms: Sequence[str]) -> tuple[float | None, Rule]:
    """Age in years from two dates, each as `moment` reads it."""
    if born is None or arrived is None:
        return None, None
    start, end = moment(born, forms), moment(arrived, forms)
    if start is None or end is None:
        return None, "age_date_not_read"
    return _possible((end - start).total_seconds() / 86_400 / YEARS["days"])


def moment(cell: str, forms: Sequence[str]) -> datetime | None:
    """A date or time as ISO 8601, or as the first of `forms` (strptime) that fits; null where none does."""
    for form in (None, *forms):
        try:
            read = datetime.strptime(cell, form) if form else datetime.fromisoformat(cell)
        except ValueError:
            continue
        return read.replace(tzinfo=None)
    return None


def _possible(years: float) -> tuple[float | None, Rule]:
    return (round(years, 4), None) if 0 <= years <= _OLDEST else (None, "age_out_of_range")
