"""MIMIC-IV-ED (v2.2, or its open demo) to the case table. The cleaning is SQL: sql/mimic_iv_ed.sql."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb

from ..errors import InputError
from ..esi import VITAL_SIGNS, Case, Licence, Vitals
from ..files import sha256_of
from .narrative import STYLES, Note, render
from .split import split_of
from .table import BadRow

# The columns of each table that must be there (mimic-code, mimic-iv-ed/buildmimic/postgres/create.sql).
TABLES: dict[str, tuple[str, ...]] = {
    "edstays": ("subject_id", "stay_id", "gender", "arrival_transport"),
    "triage": (
        *("subject_id", "stay_id", "temperature", "heartrate", "resprate", "o2sat"),
        *("sbp", "dbp", "pain", "acuity", "chiefcomplaint"),
    ),
    "vitalsign": ("subject_id", "stay_id", "charttime"),
    "diagnosis": ("subject_id", "stay_id", "icd_code"),
    "medrecon": ("subject_id", "stay_id", "name"),
    "pyxis": ("subject_id", "stay_id", "name"),
}
# The open demo v2.2 (ODbL v1.0) is recognised by its content; everything else counts as credentialed.
DEMO_TRIAGE_SHA256 = "a0418ccaeaf9ac6c1528ce3c68df83f45e391f98819013ee37f6ee864c6fbb76"


@dataclass
class BuildReport:
    """What a build read and what it did: rows in = rows out + quarantined."""

    rows: dict[str, int] = field(default_factory=dict)
    cases: int = 0
    levels: Counter[int | None] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    quarantined: list[BadRow] = field(default_factory=list)


def find_tables(folder: Path) -> dict[str, Path]:
    """The six files, `NAME.csv.gz` or `NAME.csv`, in `folder` or `folder/ed`. Raises InputError, naming what lacks."""
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; give the folder of the MIMIC-IV-ED release.")
    found = {}
    for name in TABLES:
        places = [place / f"{name}{end}" for place in (folder / "ed", folder) for end in (".csv.gz", ".csv")]
        file = next((place for place in places if place.is_file()), None)
        if file is None:
            raise InputError(
                f"{folder}: table '{name}' is missing ({name}.csv.gz or {name}.csv, here or in ed/). "
                f"The release has six tables: {', '.join(TABLES)}."
            )
        found[name] = file
    return found


def licence_of(files: dict[str, Path]) -> Licence:
    """`open` for the published demo, recognised by the content of its triage table; else `credentialed`."""
    return "open" if sha256_of(files["triage"]) == DEMO_TRIAGE_SHA256 else "credentialed"


def mimic_cases(folder: Path, report: BuildReport, seed: int = 0) -> Iterator[Case]:
    """Stream the cases of a release in the order of its triage table, filling in `report` on the way.

    The narrative's style is drawn from `seed` and the stay. Raises InputError for a missing table or column and for a
    file that cannot be read.
    """
    files = find_tables(folder)
    connection = _open(files, report)
    licence = licence_of(files)
    sql = (resources.files("esi_triage.data") / "sql" / "mimic_iv_ed.sql").read_text(encoding="utf-8")
    ranges = {f"{s.name}_{end}": getattr(s, end) for s in VITAL_SIGNS for end in ("low", "high")}
    cursor = connection.execute(sql, {name: value for name, value in ranges.items() if f"${name}" in sql})
    columns = [column[0] for column in cursor.description or ()]
    seen: set[str] = set()
    while batch := cursor.fetchmany(10_000):
        for values in batch:
            row = dict(zip(columns, values, strict=True))
            problem = _problem(row, seen)
            if problem:
                report.quarantined.append(BadRow(row["source_row"], row["stay_id"], problem))
                continue
            seen.add(row["stay_id"])
            case = _case(row, licence, seed)
            _count_case(report, row, case)
            yield case


def _problem(row: dict[str, Any], seen: set[str]) -> str | None:
    if not row["stay_id"] or not row["subject_id"]:
        return "stay_id or subject_id is empty"
    return "stay_id occurs twice in triage; the first row is kept" if row["stay_id"] in seen else None


def _case(row: dict[str, Any], licence: Licence, seed: int) -> Case:
    vitals = Vitals(**{name: row[name] for name in Vitals.model_fields})
    note = Note(
        chief_complaint=row["chief_complaint"],
        sex=row["sex"],
        arrival=row["arrival"],
        vitals=vitals,
        pain_raw=row["pain_raw"],
    )
    return Case(
        case_id=f"mimic-iv-ed-{row['stay_id']}",
        source="mimic-iv-ed",
        licence=licence,
        subject_id=row["subject_id"],
        stay_id=row["stay_id"],
        split=split_of(row["subject_id"]),
        narrative=render(note, random.Random(f"{seed}:{row['stay_id']}").choice(STYLES)),
        chief_complaint=row["chief_complaint"],
        sex=row["sex"],
        arrival=row["arrival"],
        **vitals.model_dump(),
        pain_raw=row["pain_raw"],
        gold=row["gold"],
        gold_source="nurse" if row["gold"] is not None else None,
    )


def _count_case(report: BuildReport, row: dict[str, Any], case: Case) -> None:
    report.cases += 1
    report.levels[case.gold] += 1
    report.missing.update(name for name in (*Vitals.model_fields, "chief_complaint", "sex") if row[name] is None)
    report.rules.update(name.removeprefix("rule_") for name, hit in row.items() if name.startswith("rule_") and hit)


def _open(files: dict[str, Path], report: BuildReport) -> duckdb.DuckDBPyConnection:
    """A database with a view on each file; counts its rows, which reads every file to its end."""
    connection = duckdb.connect()
    for name, file in files.items():
        try:
            # all columns as text: a stray word in a numeric column must not fail the file, only that cell
            source = connection.read_csv(str(file), header=True, all_varchar=True, delimiter=",", quotechar='"')
            lacking = [column for column in TABLES[name] if column not in source.columns]
            if not lacking:
                source.create_view(name)
                ((report.rows[name],),) = connection.execute(f"SELECT count(*) FROM {name}").fetchall()
        except duckdb.Error as error:
            raise InputError(f"{file}: cannot be read to the end ({str(error).splitlines()[0]}).") from None
        if lacking:
            raise InputError(
                f"{file}: column '{lacking[0]}' is missing. Its columns are: {', '.join(source.columns)}. "
                f"Table {name} needs: {', '.join(TABLES[name])}."
            )
    return connection
