"""NHAMCS releases to the case table: the cleaning is SQL (`visits.sql`, `outcomes.sql`), the narratives are told here.

A narrative is told from what `visits` holds, which comes from the allow-list of the layouts. Outcomes are read into a
table of their own and go to a file of their own.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from ...esi import VITAL_SIGNS, Split, Vitals
from ..case_table import BadRow, as_table
from ..narrative import STYLES, render_rows
from .layouts import KEYS, layout_of, layouts, written
from .reasons import complaint
from .year_tables import YearTable

FIRST_HELD_OUT = 2020
SOURCE = "nhamcs"
_CODED = ("sex", "arrival", "residence", "race", "region")
_SIGNS = tuple(Vitals.model_fields)
_PERSON = ("age_years", "over_age", "sex", "arrival")
_CAME = ("residence", "transferred", "seen_72h")
_READ = ("case_id", "year", "gold", "reasons", "quality", "history", *_PERSON, *_CAME, *_SIGNS)
_VISITS = """
    SELECT * REPLACE (
        CASE WHEN r."group" IS NULL THEN v.quality ELSE list_append(v.quality, 'reversed-group') END AS quality)
    FROM visits AS v LEFT JOIN (SELECT "group" FROM reversed_groups) AS r USING ("group")
    WHERE problem IS NULL ORDER BY year, file_no, source_row
"""


class Telling(NamedTuple):
    """What is told of a visit: how many reasons, whether chronic conditions, and the seed of style and wording."""

    reasons: int = 1
    history: bool = False
    seed: int = 0


DEFAULT = Telling()


def split_of_year(year: int, first_held_out: int) -> Split:
    """`first_held_out` and later years are held out, the year before it is for tuning, earlier ones train."""
    if year >= first_held_out:
        return "held_out"
    return "tuning" if year == first_held_out - 1 else "train"


def clean_releases(database: duckdb.DuckDBPyConnection, tables: Sequence[YearTable]) -> None:
    """From releases as typed to the tables `visits`, `outcome_rows`, `outcomes` and `reversed_groups` of `database`."""
    _codes(database)
    _run(database, "macros")
    _make_lines(database, tables)
    _run(
        database,
        "visits",
        {f"{sign.name}_{end}": getattr(sign, end) for sign in VITAL_SIGNS for end in ("low", "high")},
    )
    _run(database, "outcomes", written("codes")["reversed_group"])


def unusable_rows(database: duckdb.DuckDBPyConnection, tables: Sequence[YearTable], of: str) -> list[BadRow]:
    """The rows of `visits` or `outcome_rows` that cannot be used, the file named in each reason."""
    found = database.execute(
        f"SELECT file_no, source_row, case_id, problem FROM {of} WHERE problem IS NOT NULL ORDER BY file_no, source_row"
    ).fetchall()
    told = [(number, BadRow(row, case_id, problem)) for number, row, case_id, problem in found]
    told += [
        (number, bad)
        for number, table in enumerate(tables)
        if table.file.outcomes_only == (of == "outcome_rows")
        for bad in table.unread
    ]
    told.sort(key=lambda found: (found[0], found[1].row))
    return [BadRow(bad.row, bad.case_id, f"{tables[number].file.path.name}: {bad.reason}") for number, bad in told]


def visit_tables(
    database: duckdb.DuckDBPyConnection, telling: Telling, first_held_out: int, rules: Counter[str]
) -> Iterator[pa.Table]:
    """Stream the cases by year, in the order of the releases; `rules` counts the codes of `quality` on the way."""
    for batch in database.sql(_VISITS).to_arrow_reader(20_000):
        visits = {name: batch.column(name).to_pylist() for name in _READ}
        drawn = [hashlib.sha256(f"{telling.seed}:{case_id}".encode()).digest() for case_id in visits["case_id"]]
        told = [
            complaint(codes[: telling.reasons], d)
            for codes, d in zip(visits["reasons"], _part(drawn, 9, 17), strict=True)
        ]
        qualities = [found + about for found, (_, about) in zip(visits["quality"], told, strict=True)]
        rules.update(code for quality in qualities for code in quality)
        facts = {name: visits[name] for name in (*_PERSON, *_SIGNS)}
        facts["chief_complaint"] = [said for said, _ in told]
        facts["circumstances"] = list(map(_circumstances, *(visits[name] for name in _CAME), _part(drawn, 17, 18)))
        facts["history"] = list(map(_history, visits["history"]))
        styles = (STYLES[d[0] % len(STYLES)] for d in drawn)
        made = {
            **{"source": [SOURCE], "licence": ["open"], "scale": ["us-5-level"]},
            "split": [split_of_year(year, first_held_out) for year in visits["year"]],
            "narrative": list(render_rows(facts, zip(styles, _part(drawn, 1, 9), strict=True))),
            "chief_complaint": facts["chief_complaint"],
            "gold_source": ["nurse" if gold else None for gold in visits["gold"]],
        }
        n = batch.num_rows
        columns: dict[str, Any] = {name: batch.column(name) for name in batch.schema.names if name != "reasons"}
        columns |= {name: pa.array(cells * (n // len(cells)), pa.string()) for name, cells in made.items()}
        columns |= {"subject_id": columns["case_id"], "stay_id": columns["case_id"]}
        columns["quality"] = pa.array(qualities, pa.list_(pa.string()))
        yield as_table(columns, n)


def _part(drawn: Sequence[bytes], first: int, end: int) -> list[int]:
    """Some bytes of each row's hash as a number."""
    return [int.from_bytes(d[first:end], "big") for d in drawn]


def _circumstances(residence: str | None, transferred: bool | None, seen_72h: bool | None, drawn: int) -> str | None:
    wording = written("circumstances")
    facts = (residence, "transferred" if transferred else None, "seen-72h" if seen_72h else None)
    told = [wording[fact][drawn % len(wording[fact])] for fact in facts if fact in wording]
    return ", ".join(told) or None


def _history(conditions: Sequence[str]) -> str | None:
    return ", ".join(written("circumstances")["history"][name] for name in conditions) or None


def _codes(database: duckdb.DuckDBPyConnection) -> None:
    codes = written("codes")
    database.execute(f"SET VARIABLE missing = {[float(code) for code in codes['missing']]}")
    for name, meaning in [*((name, codes[name]) for name in _CODED), ("none", codes["level"]["none"])]:
        pairs = ", ".join(f"{float(code)}: '{value}'" for code, value in meaning.items())
        database.execute(f"SET VARIABLE {name} = MAP {{{pairs}}}")


def _make_lines(database: duckdb.DuckDBPyConnection, tables: Sequence[YearTable]) -> None:
    """The tables `lines` (what may become a case) and `outcome_lines`, as typed, from the releases."""
    families = [layout for layout in layouts() if not layout.refused]
    visit = (
        "YEAR",
        *(name for layout in families for name in (*layout.required, *layout.optional, *layout.imputed_flag)),
    )
    outcome = (*KEYS, *(name for layout in families for name in layout.outcomes))
    about = "file_no INTEGER, year_of_file INTEGER, source_row BIGINT"
    database.execute(
        f"CREATE TABLE lines ({about}, has_flag BOOLEAN, top_age INTEGER, history VARCHAR[], {_texts(visit)})"
    )
    database.execute(f"CREATE TABLE outcome_lines ({about}, {_texts(outcome)})")
    for number, table in enumerate(tables):
        database.register("cells", table.cells)
        layout = layout_of(table.year, table.file.path)
        present = [name for name in table.cells.column_names if name != "source_row"]
        head = f"{number} AS file_no, {table.year} AS year_of_file, source_row"
        if not table.file.outcomes_only:
            flags = [f"CASE WHEN number({name}) = 1 THEN '{name}' END" for name in layout.history if name in present]
            history = f"list_filter([{', '.join(flags)}], lambda name: name IS NOT NULL)" if flags else "[]"
            database.execute(
                f"INSERT INTO lines BY NAME SELECT {head}, {bool(layout.imputed_flag)} AS has_flag, "
                f"CAST({layout.top_age.get(table.year, 'NULL')} AS INTEGER) AS top_age, {history} AS history, "
                f"{', '.join(name for name in present if name in visit)} FROM cells"
            )
        if holds_outcomes(table):
            own = ", ".join(name for name in present if name in outcome)
            database.execute(f"INSERT INTO outcome_lines BY NAME SELECT {head}, {own} FROM cells")
        database.unregister("cells")


def holds_outcomes(table: YearTable) -> bool:
    """True for a file that tells what happened after triage."""
    return "ADMITHOS" in table.cells.column_names


def _texts(names: Iterable[str]) -> str:
    return ", ".join(f"{name} VARCHAR" for name in dict.fromkeys(names))


def _run(database: duckdb.DuckDBPyConnection, step: str, values: dict[str, Any] | None = None) -> None:
    sql = (resources.files("esi_triage.data.nhamcs") / f"{step}.sql").read_text(encoding="utf-8")
    database.execute(sql, {name: value for name, value in (values or {}).items() if f"${name}" in sql})
