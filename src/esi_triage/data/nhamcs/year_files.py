"""The files of a folder that hold NHAMCS visits: recognised by their content, one for each year."""

import csv
import gzip
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from ...errors import InputError
from .layouts import KEYS, layouts

Form = Literal["sas", "stata", "csv", "fixed width"]
FORMS: tuple[Form, ...] = ("sas", "stata", "csv", "fixed width")  # the first that is there is taken
LEVELS = ("IMMEDR", "IMMED")
_MEMBERS: dict[str, Form] = {".sas7bdat": "sas", ".dta": "stata", "": "fixed width", ".txt": "fixed width"}
_ENDINGS = (".csv", ".csv.gz", ".zip", ".sas7bdat", ".dta", ".txt", "")
_NAMED = re.compile(r"(triage|outcomes|ed)[-_ ]?\d{2,4}", re.IGNORECASE)
_YEAR = re.compile(r"(?:ed|triage|outcomes)[-_ ]?((?:19|20)\d\d|\d\d(?!\d))", re.IGNORECASE)


class YearFile(NamedTuple):
    """A file with visits, or with their outcomes: its form, and the data file in it where it is a zip."""

    path: Path
    form: Form
    member: str | None = None
    outcomes_only: bool = False


def find_files(folder: Path) -> tuple[list[YearFile], list[str]]:
    """The files of `folder` that hold visits or outcomes, and the names of those that hold neither.

    Raises InputError for a folder without visits, and for a file that should hold visits and cannot be used.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; give the folder with the NHAMCS releases.")
    found, other = [], []
    for path in sorted(folder.iterdir()):
        if not path.is_file() or path.name.startswith(".") or not path.name.lower().endswith(_ENDINGS):
            continue
        file = _recognised(path)
        if file is not None:
            found.append(file)
        elif path.suffix.lower() in (".csv", ".gz", ".zip"):
            other.append(path.name)
    if not any(not file.outcomes_only for file in found):
        raise InputError(
            f"{folder}: no visits were found. Give a folder with the official releases (ed2020_sas.zip, Stata or "
            "fixed width; `esi data fetch nhamcs` gets them) or with CSV extracts (columns HOSPCODE, PATCODE, IMMEDR)."
        )
    return found, other


def year_named(file: YearFile) -> int | None:
    """The year in the file's name, or in its member's: ed2020_sas.zip, ED20, triage-2016.csv.gz."""
    for name in (file.member or "", file.path.name):
        found = _YEAR.search(name)
        if found:
            year = int(found[1])
            return year if year > 99 else year + (2000 if year < 80 else 1900)
    return None


def _recognised(path: Path) -> YearFile | None:
    name = path.name.lower()
    if name.endswith((".csv", ".csv.gz")):
        return _csv_file(path)
    if name.endswith(".zip"):
        return _zipped(path)
    if name.endswith((".sas7bdat", ".dta")):
        return YearFile(path, _MEMBERS[path.suffix.lower()])
    return YearFile(path, "fixed width") if re.fullmatch(r"ed(19|20)?\d\d(\.txt)?", name) else None


def _csv_file(path: Path) -> YearFile | None:
    columns = [name.upper() for name in csv_header(path)]
    ours = {name for layout in layouts() for name in layout.readable()} | set(LEVELS)
    has_level = any(name in columns for name in LEVELS)
    has_outcomes = any(name in columns for layout in layouts() for name in layout.outcomes)
    if set(KEYS) <= set(columns) and (has_level or has_outcomes):
        return YearFile(path, "csv", outcomes_only=not has_level)
    if len(ours & set(columns)) < 3 and not _NAMED.match(path.name):
        return None
    lacking = next((name for name in KEYS if name not in columns), "IMMEDR")
    raise InputError(
        f"{path}: column '{lacking}' is missing. An extract has HOSPCODE, PATCODE and IMMEDR, or HOSPCODE, PATCODE and "
        f"outcomes such as ADMITHOS. It has: {', '.join(columns)[:300]}."
    )


def csv_header(path: Path) -> list[str]:
    """The first line's names, as written. Raises InputError for a file that cannot be read."""
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as stream:
            line = stream.readline(1_000_000).decode("utf-8-sig")
        return [name.strip() for name in next(csv.reader([line.strip()]), [])]
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read ({error}). Fetch it again, or take it out of the folder.") from None


def _zipped(path: Path) -> YearFile | None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = list(_data_members(archive))
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}). Fetch it again, or take it out of the folder.") from None
    if len(members) > 1:
        raise InputError(f"{path}: holds {len(members)} data files, a release holds one. Unpack it, keep one of them.")
    if not members and _NAMED.match(path.name):
        raise InputError(f"{path}: holds no data file (.sas7bdat, .dta, or a fixed-width file such as ED2019).")
    return YearFile(path, members[0][1], members[0][0]) if members else None


def _data_members(archive: zipfile.ZipFile) -> Iterator[tuple[str, Form]]:
    for name in archive.namelist():
        member = Path(name)
        form = _MEMBERS.get(member.suffix.lower())
        if form and not name.endswith("/") and (form != "fixed width" or _NAMED.match(member.name)):
            yield name, form
