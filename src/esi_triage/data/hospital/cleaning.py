"""Mapped columns in the shape of MIMIC-IV-ED's triage table, so that the same SQL cleans them.

sql/mimic_iv_ed/vitals.sql and pain.sql read a table `triage` of text; here it is made of `sheet` and a column map.
"""

from importlib import resources
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from ...errors import InputError
from ...esi import VITAL_SIGNS, VITALS_BY_NAME
from .cells import coded
from .column_map import ColumnMap
from .sheet import quoted

# fields of the map that are told or coded, not measured
_TOLD = (
    "stay_id",
    "subject_id",
    "split",
    "text",
    "chief_complaint",
    "birth_date",
    "arrival_time",
    "sex",
    "arrival",
    "gold",
    "group",
)
# field of the map, column of MIMIC's triage, vital sign
_SIGNS = (
    ("temperature", "temperature", "temperature_c"),
    ("heart_rate", "heartrate", "heart_rate"),
    ("resp_rate", "resprate", "resp_rate"),
    ("spo2", "o2sat", "spo2"),
    ("sbp", "sbp", "sbp"),
    ("dbp", "dbp", "dbp"),
)
# what may stand behind the number of a sign, as a pattern; another sign's unit makes it no number
_PER_MINUTE = r"/\s?min|bpm|per min(ute)?"
_UNITS = {
    "temperature": r"°?\s?[cf]",
    "heart_rate": _PER_MINUTE,
    "resp_rate": _PER_MINUTE,
    "spo2": "%",
    "sbp": r"mm\s?hg",
    "dbp": r"mm\s?hg",
}
_DATA = resources.files("esi_triage.data")
_ENOUGH = 50  # rows from which a column can be judged as a whole


def erase_missing(database: DuckDBPyConnection, columns: ColumnMap) -> dict[str, int]:
    """Make null what [missing] of the map calls missing, in `sheet`; how many cells, by rule. -9 is also -9.0."""
    erased = {}
    for place, column in columns.places().items():
        name = place.split(".")[1]
        cell = f"trim({quoted(column)})"
        numbers = "[TRY_CAST(code AS DOUBLE) FOR code IN $codes IF TRY_CAST(code AS DOUBLE) IS NOT NULL]"
        is_missing = f"{cell} IN $codes OR coalesce(TRY_CAST({cell} AS DOUBLE) IN {numbers}, false)"
        if codes := columns.missing.get(name):
            ((n,),) = database.execute(
                f"UPDATE sheet SET {quoted(column)} = NULL WHERE {is_missing}", {"codes": codes}
            ).fetchall()
            erased[f"{name}_missing_code"] = erased.get(f"{name}_missing_code", 0) + n
    return {rule: n for rule, n in erased.items() if n}


def cleaned(database: DuckDBPyConnection, columns: ColumnMap) -> DuckDBPyConnection:
    """Clean the table `sheet`; a cursor over one row a case: texts, `*_typed` numbers and clean ones."""
    for sql in (_DATA / "numerals.sql", _DATA / "hospital" / "cells.sql"):
        database.execute(sql.read_text(encoding="utf-8"))
    for name, cells in (("told", _told(columns)), ("triage", _triage(columns))):
        made = ", ".join(f"{cell} AS {quoted(column)}" for column, cell in cells.items())
        database.execute(f"CREATE TABLE {name} AS SELECT source_row, {made} FROM sheet")
    ranges = {f"{sign.name}_{end}": getattr(sign, end) for sign in VITAL_SIGNS for end in ("low", "high")}
    for name in ("vitals", "pain"):  # the second reads the first, and has all of its columns
        sql = (_DATA / "mimic_iv_ed" / f"{name}.sql").read_text(encoding="utf-8")
        database.execute(sql, {key: value for key, value in ranges.items() if f"${key}" in sql})
    taken = "source_row, stay_id, subject_id, chiefcomplaint"
    return database.execute(
        f"SELECT told.*, pain.* EXCLUDE ({taken}) FROM told JOIN pain USING (source_row) ORDER BY source_row"
    )


def _told(columns: ColumnMap) -> dict[str, str]:
    """The SQL of the fields that are told or coded, and of the age."""
    mapped = _mapped(columns)
    return {field: f"cell({mapped[field]})" for field in _TOLD} | {"age": f"plain({mapped['age']}, '')"}


def _triage(columns: ColumnMap) -> dict[str, str]:
    """The SQL of the columns of MIMIC-IV-ED's triage."""
    mapped = _mapped(columns)
    found = {name: f"plain({mapped[field]}, '{_UNITS[field]}')" for field, name, _ in _SIGNS}
    if columns.columns.blood_pressure:
        pressure = mapped["blood_pressure"]
        found |= {"sbp": f"systolic({pressure})", "dbp": f"diastolic({pressure})"}
    if columns.units.temperature.startswith("0.1"):
        typed = found["temperature"]
        found["temperature"] = f"coalesce(CAST(round(numeral({typed}) / 10, 2) AS VARCHAR), {typed})"
    if columns.units.spo2 == "fraction":
        found["o2sat"] = f"coalesce(CAST(100 * numeral({found['o2sat']}) AS VARCHAR), {found['o2sat']})"
    return found | {
        **{"stay_id": mapped["stay_id"], "subject_id": mapped["subject_id"], "pain": f"cell({mapped['pain']})"},
        **{"acuity": mapped["gold"], "chiefcomplaint": mapped["chief_complaint"]},
    }


def _mapped(columns: ColumnMap) -> dict[str, str]:
    """The SQL name of each field's column; null for a field that is not mapped."""
    named = columns.columns.model_dump()
    return {field: quoted(column) if column else "CAST(NULL AS VARCHAR)" for field, column in named.items()}


def judge_columns(database: DuckDBPyConnection, columns: ColumnMap, where: Path) -> None:
    """Raises InputError where more than half of a column's cells cannot be what the map says: swapped, or another unit.

    Judged after `cleaned`, over columns with at least 50 cells.
    """
    for field, raw, sign in _SIGNS:
        n, kept = _counts(database, f"count(t.{raw}), count(v.{sign})")
        limits = VITALS_BY_NAME[sign]
        _judge(columns, where, field, n, n - kept, f"not between {limits.low:g} and {limits.high:g} {limits.unit}")
    for low, high in (("dbp", "sbp"), ("resp_rate", "heart_rate")):
        both, crossed = _counts(
            database,
            f"count(*) FILTER (v.{low}_typed IS NOT NULL AND v.{high}_typed IS NOT NULL), "
            f"count(*) FILTER (v.{low}_typed > v.{high}_typed)",
        )
        _judge(columns, where, low, both, crossed, f"above {high}; are the two swapped?")
    for field in ("sex", "arrival", "gold", "split"):
        codes: Any = getattr(columns.codes, field)
        cells = database.execute(
            f"SELECT {field}, count(*) FROM told WHERE {field} IS NOT NULL GROUP BY ALL"
        ).fetchall()
        unknown = sum(n for cell, n in cells if coded(field, cell, codes)[1])
        _judge(
            columns, where, field, sum(n for _, n in cells), unknown, f"none of the codes in [codes.{field}] of the map"
        )


def _counts(database: DuckDBPyConnection, what: str) -> tuple[int, int]:
    joined = "triage AS t JOIN vitals AS v USING (source_row)"
    ((a, b),) = database.execute(f"SELECT {what} FROM {joined}").fetchall()
    return a, b


def _judge(columns: ColumnMap, where: Path, field: str, n: int, wrong: int, finding: str) -> None:
    if n >= _ENOUGH and wrong * 2 > n:
        column = columns.mapped().get(field) or columns.columns.blood_pressure
        raise InputError(
            f"{where}: {wrong:,} of {n:,} cells of column '{column}' (columns.{field} of the map) are {finding}. "
            "Correct the map."
        )
