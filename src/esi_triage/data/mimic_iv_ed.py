"""MIMIC-IV-ED (v2.2, or its open demo) to the case table.

The cleaning is SQL, to be read beside mimic-code: sql/mimic_iv_ed/, in the order of `CLEANING`. Here it is run, and
narratives are told from the columns of `NOTE` and the vital signs, which are all that a model gets to see.
"""

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from ..errors import InputError
from ..esi import VITAL_SIGNS, Licence, Vitals
from ..progress import bar
from .mimic_files import TABLES, Source, load
from .narrative import STYLES, Note, render
from .split import split_of
from .table import SCHEMA, BadRow

CLEANING = ("stays", "vitals", "pain", "visits")
NOTE = ("chief_complaint", "age_years", "over_age", "sex", "arrival", "pain_raw")
_SIGNS = tuple(Vitals.model_fields)
_CASES = """
    SELECT
        *, 'mimic-iv-ed-' || stay_id AS case_id, 'mimic-iv-ed' AS source, $licence AS licence,
        CASE WHEN gold IS NOT NULL THEN 'nurse' END AS gold_source
    FROM visits WHERE problem IS NULL ORDER BY source_row
"""


class Rule(NamedTuple):
    """A cleaning rule: how many rows of the case table it touched, and why it is there."""

    name: str
    rows: int
    reason: str


def read_release(database: duckdb.DuckDBPyConnection, files: dict[str, Path]) -> dict[str, Source]:
    """Read and clean a release: leaves the table `visits` in `database`.

    Raises InputError for a damaged file, a missing column, and columns that look swapped.
    """
    sources = {}
    with bar("reading", len(files), "table") as shown:
        for name, file in files.items():
            sources[name] = load(database, name, file)
            shown.update()
    clean(database)
    for table, pair, finding, n, hits in _run(database, "swapped").fetchall():
        raise InputError(
            f"{sources[table].file}: in {hits:,} of {n:,} rows {finding}. The columns {pair} look swapped: "
            "put their names in the first line right."
        )
    return sources


def clean(database: duckdb.DuckDBPyConnection) -> None:
    """From the tables as typed (triage, edstays, patients if there is one) to `visits`."""
    columns = ", ".join(f"{column} VARCHAR" for column in TABLES["patients"])
    database.execute(f"CREATE TABLE IF NOT EXISTS patients (source_row BIGINT, {columns})")
    for step in CLEANING:
        _run(database, step)


def rules(database: duckdb.DuckDBPyConnection) -> list[Rule]:
    """Every cleaning rule with its count."""
    return [Rule(*row) for row in _run(database, "rules").fetchall()]


def quarantined(database: duckdb.DuckDBPyConnection, triage: Source) -> list[BadRow]:
    """The rows of triage that become no case, in order: those that cannot be read, and those with a problem."""
    unreadable = [bad.row for bad in triage.unreadable]
    found = database.execute(
        "SELECT source_row, stay_id, problem FROM visits WHERE problem IS NOT NULL ORDER BY source_row"
    ).fetchall()
    told = [BadRow(_place(row, unreadable), stay_id and stay_id[:40], problem) for row, stay_id, problem in found]
    return sorted([*triage.unreadable, *told], key=lambda bad: bad.row)


def case_tables(database: duckdb.DuckDBPyConnection, licence: Licence, seed: int) -> Iterator[pa.Table]:
    """Stream the cases in the order of triage, with `SCHEMA`. `seed` and the stay decide style and wording."""
    split = cache(split_of)
    for batch in database.sql(_CASES, params={"licence": licence}).to_arrow_reader(20_000):
        values = {name: batch.column(name).to_pylist() for name in (*NOTE, *_SIGNS, "stay_id", "subject_id")}
        made = {
            "narrative": pa.array(_narratives(values, seed), pa.string()),
            "split": pa.array(map(split, values["subject_id"]), pa.string()),
        }
        yield pa.table(
            [made[field.name] if field.name in made else batch.column(field.name).cast(field.type) for field in SCHEMA],
            schema=SCHEMA,
        )


def _narratives(values: dict[str, list], seed: int) -> Iterator[str]:
    told, measured = (zip(*(values[name] for name in names), strict=True) for names in (NOTE, _SIGNS))
    for stay_id, facts, signs in zip(values["stay_id"], told, measured, strict=True):
        note = Note(**dict(zip(NOTE, facts, strict=True)), vitals=Vitals(**dict(zip(_SIGNS, signs, strict=True))))
        drawn = hashlib.sha256(f"{seed}:{stay_id}".encode()).digest()
        yield render(note, STYLES[drawn[0] % len(STYLES)], int.from_bytes(drawn[1:9], "big"))


def _place(row: int, unreadable: list[int]) -> int:
    """A row's number in the file, from its number among the readable rows; `unreadable` in ascending order."""
    for other in unreadable:
        row += other <= row
    return row


def _run(database: duckdb.DuckDBPyConnection, step: str) -> duckdb.DuckDBPyConnection:
    file = resources.files("esi_triage.data") / "sql" / "mimic_iv_ed" / f"{step}.sql"
    sql = file.read_text(encoding="utf-8")
    ranges = {f"{sign.name}_{end}": getattr(sign, end) for sign in VITAL_SIGNS for end in ("low", "high")}
    return database.execute(sql, {name: value for name, value in ranges.items() if f"${name}" in sql})
