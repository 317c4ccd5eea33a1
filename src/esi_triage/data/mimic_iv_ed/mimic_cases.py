"""MIMIC-IV-ED (v2.2, or its open demo) to the case table.

The cleaning is SQL, to be read beside mimic-code: sql/mimic_iv_ed/, in the order of `CLEANING`. Here it is run, and
narratives are told from the columns of `NOTE` and the vital signs, which are all that a model gets to see.
"""

from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from ...errors import InputError
from ...esi import VITAL_SIGNS, Licence, Vitals
from ...progress import bar
from ..case_table import BadRow, as_table
from ..narrative import STYLES, render_rows
from ..splits import split_of
from .release import TABLES, Source, load

CLEANING = ("stays", "vitals", "pain", "visits")
NOTE = ("chief_complaint", "age_years", "over_age", "sex", "arrival", "pain_raw")
# A hash of seed and stay draws the style and the variant of its narrative.
_CASES = """
    SELECT
        * EXCLUDE drawn, 'mimic-iv-ed-' || stay_id AS case_id, 'mimic-iv-ed' AS source, $licence AS licence,
        CASE WHEN gold IS NOT NULL THEN 'nurse' END AS gold_source,
        $styles[1 + CAST('0x' || drawn[1:2] AS UTINYINT) % len($styles)] AS style,
        CAST('0x' || drawn[3:18] AS UBIGINT) AS variant
    FROM (SELECT *, sha256($seed || ':' || stay_id) AS drawn FROM visits WHERE problem IS NULL) ORDER BY source_row
"""


class Rule(NamedTuple):
    """A cleaning rule: how many rows of the case table it touched, and why it is there."""

    name: str
    rows: int
    reason: str


def read_and_clean(database: duckdb.DuckDBPyConnection, files: dict[str, Path]) -> dict[str, Source]:
    """Read the tables that cases are made of, and clean them: leaves the table `visits` in `database`.

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
            "correct the names in the first line."
        )
    return sources


def clean(database: duckdb.DuckDBPyConnection) -> None:
    """From the tables as typed (triage, edstays, patients if there is one) to `visits`."""
    columns = ", ".join(f"{column} VARCHAR" for column in TABLES["patients"])
    database.execute(f"CREATE TABLE IF NOT EXISTS patients (source_row BIGINT, {columns})")
    database.execute((resources.files("esi_triage.data") / "numerals.sql").read_text(encoding="utf-8"))
    for step in CLEANING:
        _run(database, step)


def cleaning_rules(database: duckdb.DuckDBPyConnection) -> list[Rule]:
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
    asked = {"licence": licence, "seed": str(seed), "styles": list(STYLES)}
    for batch in database.sql(_CASES, params=asked).to_arrow_reader(20_000):
        facts = {name: batch.column(name).to_pylist() for name in (*NOTE, *Vitals.model_fields)}
        drawn = zip(batch.column("style").to_pylist(), batch.column("variant").to_pylist(), strict=True)
        made = {
            "narrative": pa.array(render_rows(facts, drawn), pa.string()),
            "split": pa.array(map(split, batch.column("subject_id").to_pylist()), pa.string()),
        }
        made |= {name: batch.column(name) for name in batch.schema.names if name not in made}
        yield as_table(made, batch.num_rows)


def _place(row: int, unreadable: list[int]) -> int:
    """A row's number in the file, from its number among the readable rows; `unreadable` in ascending order."""
    for other in unreadable:
        row += other <= row
    return row


def _run(database: duckdb.DuckDBPyConnection, step: str) -> duckdb.DuckDBPyConnection:
    file = resources.files("esi_triage.data.mimic_iv_ed") / f"{step}.sql"
    sql = file.read_text(encoding="utf-8")
    ranges = {f"{sign.name}_{end}": getattr(sign, end) for sign in VITAL_SIGNS for end in ("low", "high")}
    return database.execute(sql, {name: value for name, value in ranges.items() if f"${name}" in sql})
