"""What a file says at its beginning: its columns and its year. Nothing else of it is read here."""

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import IO, Any

from ...errors import InputError
from .year_files import YearFile, csv_header, year_named

_ROWS = 50
DAMAGED = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, csv.Error)


def year_and_columns(file: YearFile) -> tuple[int, list[str]]:
    """The year that the column YEAR of the first rows says, or else the file's name; and its columns as written.

    A fixed-width file has no header and no known place for the year. Raises InputError for a file that cannot be read,
    and where no year is stated.
    """
    try:
        names, cells = _beginning(file)
    except DAMAGED as error:
        raise InputError(f"{file.path}: cannot be read ({error}). Fetch it again, or take it out.") from None
    years = [year for cell in cells if (year := as_year(cell))]
    year = max(set(years), key=years.count) if years else year_named(file)
    if year is None:
        raise InputError(f"{file.path}: the year is nowhere stated; name the file as NCHS does, e.g. ed2020_sas.zip.")
    return year, names


def as_year(cell: Any) -> int | None:
    """A year of four or two digits as a number, from text or a number."""
    try:
        number = float(cell)
    except (TypeError, ValueError):
        return None
    year = int(number) if number.is_integer() else 0
    year += 1900 if 90 <= year <= 99 else 0
    return year if 1990 <= year <= 2099 else None


def column(names: Sequence[str], name: str) -> str | None:
    """The file's own spelling of an official column, case aside."""
    return next((own for own in names if own.upper() == name), None)


def frames(file: YearFile, size: int, stream: IO[bytes]) -> Iterator[Any]:
    """A SAS or Stata file as pandas reads it, `size` rows at a time."""
    import pandas as pd

    try:
        if file.form == "sas":
            yield from pd.read_sas(stream, format="sas7bdat", encoding="latin-1", chunksize=size)
        else:
            yield from pd.read_stata(stream, convert_categoricals=False, chunksize=size)
    except GeneratorExit:
        raise
    except Exception as error:  # a damaged binary file makes pandas raise nearly anything
        raise InputError(f"{file.path}: not a readable {file.form} file ({error!r}). Fetch it again.") from None


@contextmanager
def data_stream(file: YearFile) -> Iterator[IO[bytes]]:
    """The bytes of the data file, unpacked where it lies in a zip."""
    if file.member is None:
        with file.path.open("rb") as stream:
            yield stream
    else:
        with zipfile.ZipFile(file.path) as archive, archive.open(file.member) as stream:
            yield stream


def _beginning(file: YearFile) -> tuple[list[str], list[Any]]:
    if file.form == "fixed width":
        return [], []
    if file.form == "csv":
        return _csv_beginning(file)
    with data_stream(file) as stream:
        first = next(frames(file, _ROWS, stream), None)
    if first is None:
        raise InputError(f"{file.path}: holds no rows. Fetch it again, or take it out of the folder.")
    names = [str(name) for name in first.columns]
    year = column(names, "YEAR")
    return names, [] if year is None else first[year].tolist()


def _csv_beginning(file: YearFile) -> tuple[list[str], list[Any]]:
    names = csv_header(file.path)
    year = column(names, "YEAR")
    with gzip.open(file.path) if file.path.suffix.lower() == ".gz" else file.path.open("rb") as stream:
        lines = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace")
        rows = list(islice(csv.reader(line.replace("\0", "") for line in lines), 1, _ROWS))
    place = names.index(year) if year else len(names)
    return names, [row[place] for row in rows if place < len(row)]
