"""The files of a MIMIC-IV-ED release: found, checked, read as text into a database, and counted."""

import csv
import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ...atomic_files import sha256_of
from ...errors import InputError
from ...esi import Licence
from ..case_table import BadRow
from ..literal_path import literal_path

# The columns that are needed of each table, and the only ones ever read (mimic-code, mimic-iv-ed/buildmimic/postgres).
TABLES: dict[str, tuple[str, ...]] = {
    "edstays": ("subject_id", "stay_id", "intime", "gender", "arrival_transport"),
    "triage": (
        *("subject_id", "stay_id", "temperature", "heartrate", "resprate", "o2sat"),
        *("sbp", "dbp", "pain", "acuity", "chiefcomplaint"),
    ),
    "vitalsign": ("stay_id",),
    "diagnosis": ("stay_id",),
    "medrecon": ("stay_id",),
    "pyxis": ("stay_id",),
    "patients": ("subject_id", "anchor_age", "anchor_year"),
}
ED_TABLES = tuple(name for name in TABLES if name != "patients")
READ = ("edstays", "triage", "patients")  # the others are written after triage: counted, not read
# Row counts as published (mimic-code, mimic-iv-ed/buildmimic: validate.sql, validate_demo.sql).
RELEASES: dict[str, dict[str, int]] = {
    "MIMIC-IV-ED v2.2": {
        **{"edstays": 425_087, "triage": 425_087, "vitalsign": 1_564_610},
        **{"diagnosis": 899_050, "medrecon": 2_987_342, "pyxis": 1_586_053},
    },
    "MIMIC-IV-ED demo v2.2": {
        **{"edstays": 222, "triage": 222, "vitalsign": 1_038},
        **{"diagnosis": 545, "medrecon": 2_764, "pyxis": 1_082},
    },
}
# The open demo v2.2 (ODbL v1.0) is recognised by its content; everything else counts as credentialed.
DEMO_TRIAGE_SHA256 = "a0418ccaeaf9ac6c1528ce3c68df83f45e391f98819013ee37f6ee864c6fbb76"
_LONGEST_LINE = 4_000_000  # bytes
_UNREADABLE = {
    "INVALID ENCODING": "is not UTF-8",
    "MISSING COLUMNS": "has too few fields",
    "TOO MANY COLUMNS": "has too many fields",
    "LINE SIZE OVER MAXIMUM": f"is longer than {_LONGEST_LINE:,} bytes",
}


@dataclass(frozen=True, slots=True)
class Source:
    """What was read of one file. `rows` counts all, those that cannot be read (`unreadable`) among them."""

    file: Path
    sha256: str
    rows: int
    unreadable: list[BadRow]


def find_tables(folder: Path, patients: Path | None = None) -> dict[str, Path]:
    """The six files, `NAME.csv.gz` or `NAME.csv`, in `folder` or `folder/ed`, and hosp/patients where there is one.

    Raises InputError, naming what lacks.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; give the folder of the MIMIC-IV-ED release.")
    if patients and not patients.is_file():
        raise InputError(f"{patients}: there is no such file; give patients.csv.gz of MIMIC-IV's folder hosp.")
    found = {}
    for name in ED_TABLES:
        file = _csv(name, folder / "ed", folder)
        if file is None:
            raise InputError(
                f"{folder}: table '{name}' is missing ({name}.csv.gz or {name}.csv, here or in ed/). "
                f"The release has six tables: {', '.join(ED_TABLES)}."
            )
        found[name] = file
    beside = found["triage"].parent.parent / "hosp"
    people = patients or _csv("patients", beside)
    return found | ({"patients": people} if people else {})


def load(database: duckdb.DuckDBPyConnection, name: str, file: Path) -> Source:
    """Read one file to its end and count it; one of `READ` becomes a table of text columns, with source_row from 1.

    Lines that cannot be read are listed. Raises InputError for a file that is damaged, or lacks a column.
    """
    try:
        digest = sha256_of(file)  # reads the whole file: a truncated one fails here, before anything is built on it
        header = _header(name, file)
        # all columns as text: a stray word in a numeric column must not fail the file, only that cell
        lines = database.read_csv(
            literal_path(file),
            hive_partitioning=False,
            header=True,
            auto_detect=False,
            columns=dict.fromkeys(header, "VARCHAR"),
            delimiter=",",
            quotechar='"',
            escapechar='"',
            max_line_size=_LONGEST_LINE,
            buffer_size=8 * _LONGEST_LINE,
            store_rejects=True,
            rejects_table=f"{name}_unread",
            rejects_scan=f"{name}_scan",
        )
        lines.create_view(f"{name}_lines")
        if name in READ:
            columns = ", ".join(TABLES[name])
            database.execute(
                f"CREATE TABLE {name} AS SELECT row_number() OVER () AS source_row, {columns} FROM {name}_lines"
            )
            lines = database.table(name)
        ((rows,),) = lines.count("*").fetchall()
        unreadable = _unreadable(database, name, file)
    except (OSError, EOFError, zlib.error, duckdb.Error) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{file}: cannot be read to the end ({reason}). Download it again.") from None
    return Source(file, digest, rows + len(unreadable), unreadable)


def count_tables(files: dict[str, Path]) -> dict[str, Source]:
    """Count tables that are not read, in a database of their own, so that a thread beside the build can do it."""
    with duckdb.connect() as database:
        return {name: load(database, name, file) for name, file in files.items()}


def licence_of(sources: dict[str, Source]) -> Licence:
    """`open` for the published demo, recognised by the content of its triage table; else `credentialed`.

    Ages make it credentialed, too: the demo of this module has none, and where they come from cannot be told.
    """
    is_demo = sources["triage"].sha256 == DEMO_TRIAGE_SHA256
    return "open" if is_demo and "patients" not in sources else "credentialed"


def matching_release(sources: dict[str, Source]) -> str:
    """One sentence: which published release has these row counts, or how far they are from it."""
    rows = {name: sources[name].rows for name in ED_TABLES}
    for release, expected in RELEASES.items():
        if rows == expected:
            return f"all six tables have the row counts of {release}"
        if rows["triage"] == expected["triage"]:
            other = [
                f"{name} {rows[name]:,} instead of {expected[name]:,}" for name in rows if rows[name] != expected[name]
            ]
            return f"triage has the rows of {release}, other tables differ: {', '.join(other)}"
    published = " nor ".join(f"{expected['triage']:,} ({release})" for release, expected in RELEASES.items())
    return f"triage has {rows['triage']:,} rows, neither {published}: a part, an older version, or not complete"


def _csv(name: str, *folders: Path) -> Path | None:
    places = (folder / f"{name}{end}" for folder in folders for end in (".csv.gz", ".csv"))
    return next((place for place in places if place.is_file()), None)


def _header(name: str, file: Path) -> list[str]:
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
        first = stream.readline(_LONGEST_LINE).decode("utf-8-sig", errors="replace")
    header = next(csv.reader([first.strip()]), [])
    lacking = [column for column in TABLES[name] if column not in header]
    if lacking:
        used = next((sign for sign in (";", "\t", "|") if sign in first and "," not in first), None)
        fix = f"Its columns stand apart by {used!r}: write it with commas." if used else f"It has: {', '.join(header)}."
        raise InputError(
            f"{file}: column '{lacking[0]}' is missing. {fix} Table {name} needs: {', '.join(TABLES[name])}."
        )
    twice = next((column for column in header if header.count(column) > 1), None)
    if twice is not None:
        raise InputError(f"{file}: column '{twice}' occurs twice in the first line; rename one of the two.")
    return header


def _unreadable(database: duckdb.DuckDBPyConnection, name: str, file: Path) -> list[BadRow]:
    found = database.execute(f"SELECT line, min(error_type) FROM {name}_unread GROUP BY line ORDER BY line").fetchall()
    for line, kind in found:
        if kind not in _UNREADABLE:  # an open quote swallows what follows: how many rows, nobody can tell
            raise InputError(f"{file}: line {line} cannot be read ({kind.lower()}); mend its quotation marks.")
    return [BadRow(line - 1, None, f"line {line} {_UNREADABLE[kind]}") for line, kind in found]
