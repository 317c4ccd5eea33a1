"""`esi data build nhamcs`: a folder of releases to a case table, its outcomes, its quarantine and its dataset.json."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from ...atomic_files import sha256_of, whole
from ...errors import InputError
from ...progress import bar
from ..build import Overlap, write_build
from ..case_table import BadRow, check_output, write_quarantine
from ..outcomes import groups_path, outcomes_path, write_outcomes
from . import nhamcs_cases
from .column_units import check_units
from .glimpse import year_and_columns
from .layouts import layout_of, written
from .nhamcs_cases import DEFAULT, FIRST_HELD_OUT, Telling
from .year_files import FORMS, YearFile, find_files
from .year_tables import YearTable, read_year


def build_nhamcs(
    folder: Path,
    output: Path,
    telling: Telling = DEFAULT,
    first_held_out: int = FIRST_HELD_OUT,
    overlap: Overlap | None = None,
) -> dict[str, Any]:
    """The releases in `folder` to `output`, with outcomes, quarantine and dataset.json; returns what the last says.

    Raises InputError for a folder without visits, for a file that is damaged or lacks a column, for a column in other
    units, for a year without triage levels, and where two files hold the same year in the same form.
    """
    check_output(output)
    tables, notes = read_folder(folder, telling.history)
    with duckdb.connect() as database:
        nhamcs_cases.clean_releases(database, tables)
        check_units(database, tables)
        rules: Counter[str] = Counter()
        bad = nhamcs_cases.unusable_rows(database, tables, "visits")
        about = {
            **{
                "source": "NHAMCS emergency department visits",
                "licence": "open",
                "terms": written("releases")["terms"],
            },
            **{"seed": telling.seed, "reasons": telling.reasons, "history": telling.history},
            "split_rule": _split_rule(first_held_out),
            "files": {table.file.path.name: _about_file(table) for table in tables},
            "known_counts": _known_counts(database, tables),
            "rows_in": sum(table.rows for table in tables if not table.file.outcomes_only),
            "outcomes": _write_outcomes(database, tables, output),
            "reversed_groups": _reversed_groups(database),
            "rules": rules,
            "rule_reasons": written("codes")["quality"],
            "notes": notes,
        }
        notes += _notes(about)
        cases = nhamcs_cases.visit_tables(database, telling, first_held_out, rules)
        return write_build(output, cases, about, bad, overlap)


def changed_releases(folder: Path, about: Mapping[str, Any]) -> list[str]:
    """The names of the files by which the releases in `folder` differ from those of a build: new, gone or changed ones.

    `about` is what the build's dataset.json says.
    """
    built = {name: file["sha256"] for name, file in about.get("files", {}).items()}
    told = (about.get("outcomes") or {"years": ()})["years"]
    years = {file: year_and_columns(file)[0] for file in find_files(folder)[0]}
    chosen, _ = _chosen(list(years.items()))
    spare = [file for file in chosen if file.outcomes_only and years[file] in told and file.path.name not in built]
    now = {file.path.name: sha256_of(file.path) for file in chosen if file not in spare}
    return sorted(name for name in {*built, *now} if built.get(name) != now.get(name))


def read_folder(folder: Path, history: bool) -> tuple[list[YearTable], list[str]]:
    """The releases of a folder, one of each year and its outcomes, by year; and what was left aside, in sentences."""
    files, other = find_files(folder)
    seen = [(file, *year_and_columns(file)) for file in files]
    chosen, notes = _chosen([(file, year) for file, year, _ in seen])
    notes += [f"{name} holds no visits and was not read" for name in other]
    tables = []
    with bar("reading", len(chosen), "file") as shown:
        for file, year, names in sorted(seen, key=lambda found: (found[1], found[0].outcomes_only)):
            if file in chosen:
                tables.append(read_year(file, year, names, history))
                shown.update()
    return _without_spare_outcomes(tables, notes), notes


def _chosen(files: Sequence[tuple[YearFile, int]]) -> tuple[set[YearFile], list[str]]:
    chosen, notes = set(), []
    for year, outcomes_only in sorted({(year, file.outcomes_only) for file, year in files}):
        layout_of(year, files[0][0].path.parent)
        same = [file for file, other in files if other == year and file.outcomes_only == outcomes_only]
        same.sort(key=lambda file: FORMS.index(file.form))
        twin = next((file for file in same[1:] if file.form == same[0].form), None)
        if twin:
            raise InputError(f"{twin.path}: {same[0].path.name} holds {year} in the same form; keep one of the two.")
        chosen.add(same[0])
        left = ", ".join(file.path.name for file in same[1:])
        notes += [f"{year} is read from {same[0].path.name}; {left} has the same year and was not read"] if left else []
    return chosen, notes


def _without_spare_outcomes(tables: list[YearTable], notes: list[str]) -> list[YearTable]:
    """Leaves out outcomes of a year whose visits bring their own. Raises InputError for outcomes without visits."""
    visits = {table.year: table for table in tables if not table.file.outcomes_only}
    kept = []
    for table in tables:
        if table.file.outcomes_only and table.year not in visits:
            raise InputError(f"{table.file.path}: outcomes of {table.year}, and no file with its visits.")
        if table.file.outcomes_only and nhamcs_cases.holds_outcomes(visits[table.year]):
            notes.append(
                f"{table.year}: outcomes are in {visits[table.year].file.path.name}; {table.file.path.name} not read"
            )
        else:
            kept.append(table)
    return kept


def _about_file(table: YearTable) -> dict[str, Any]:
    found = {"year": table.year, "form": table.file.form, "rows": table.rows, "unreadable": len(table.unread)}
    return found | {"sha256": table.sha256, "missing_columns": list(table.missing)}


def _known_counts(database: duckdb.DuckDBPyConnection, tables: Sequence[YearTable]) -> str:
    """Which years have the published rows and levels, and how far the others are from them."""
    said = []
    for table in tables:
        known = written("releases")["years"].get(str(table.year), {})
        if table.file.outcomes_only or "rows" not in known:
            continue
        counts = dict(
            database.execute("SELECT gold, count(*) FROM visits WHERE year = ? GROUP BY gold", [table.year]).fetchall()
        )
        levels = [counts.get(level, 0) for level in range(1, 6)]
        same = table.rows == known["rows"] and levels == known["levels"]
        differs = f"{table.rows:,} rows, levels {levels} instead of {known['rows']:,}, {known['levels']}"
        said.append(f"{table.year} as published" if same else f"{table.year} differs: {differs}")
    return "; ".join(said) or "no published counts are known for these years"


def _write_outcomes(
    database: duckdb.DuckDBPyConnection, tables: Sequence[YearTable], output: Path
) -> dict[str, Any] | None:
    with whole(groups_path(output)) as temporary:
        pq.write_table(database.table("groups").to_arrow_table(), temporary, compression="zstd")
    path = outcomes_path(output)
    bad: list[BadRow] = []
    told = sorted({table.year for table in tables if nhamcs_cases.holds_outcomes(table)})
    if told:
        bad = nhamcs_cases.unusable_rows(database, tables, "outcome_rows")
        write_outcomes(database.table("outcomes").to_arrow_table(), path)
    else:
        path.unlink(missing_ok=True)  # of an earlier build: it would not go with this table
    write_quarantine(bad, path)
    if not told:
        return None
    names = ("critical", "critical_care", "died", "admitted", "transferred", "observation", "left_without_being_seen")
    counts = ", ".join(f"count(*) FILTER ({name})" for name in names)
    (found,) = database.execute(f"SELECT {counts}, count(*) FILTER (critical IS NULL) FROM outcomes").fetchall()
    counted = dict(zip((*names, "critical_unknown"), found, strict=True))
    return {"file": path.name, "years": told, "quarantined": len(bad), **counted, "sha256": sha256_of(path)}


def _reversed_groups(database: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    rows = database.table("reversed_groups").fetchall()
    return [{"group": group, "visits": n, "correlation": round(r, 3)} for group, n, r in rows]


def _split_rule(first_held_out: int) -> str:
    return (
        f"by year: up to {first_held_out - 2} train, {first_held_out - 1} tuning, {first_held_out} and later held out"
    )


def _notes(about: dict[str, Any]) -> list[str]:
    notes = [f"splits {about['split_rule']}"]
    years = sorted({file["year"] for file in about["files"].values()})
    untold = [str(year) for year in years if year not in (about["outcomes"] or {"years": ()})["years"]]
    if untold:
        notes.append(f"no outcomes of {', '.join(untold)}: reversed hospitals could not be looked for there")
    groups = about["reversed_groups"]
    if groups:
        visits = sum(found["visits"] for found in groups)
        named = ", ".join(found["group"] for found in groups)
        notes.append(f"{len(groups)} hospital-years ({named}; {visits:,} levels) are reversed: kept out of training")
    if about["outcomes"]:
        found = about["outcomes"]
        notes.append(
            f"outcomes in {found['file']}: {found['critical']:,} critical, {found['admitted']:,} admitted, "
            f"{found['critical_unknown']:,} unknown, {found['quarantined']:,} rows quarantined"
        )
    missing = {name for file in about["files"].values() for name in file["missing_columns"]}
    return notes + ([f"columns that not every file has: {', '.join(sorted(missing))}"] if missing else [])
