"""What comes from outside, read in one place: text with the place of a bad byte, strict JSON, TOML, numerals, sizes.

Everything is bounded before it is worked on. The bounds stand in `BOUNDS` and, as a table, in docs/size-bounds.md.
"""

import gzip
import json
import math
import os
import re
import stat
import sys
import tomllib
import zlib
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import IO, Any

from .errors import InputError

NARRATIVE = 20_000
ANSWER = 1_000_000
DEPTH = 64
ROW = 16_000_000
COLUMNS = 5_000
FILE = 64_000_000
TOML = 1_000_000
REPLY = 1_000_000
REPLY_TOKEN = 4_096
DAMAGED = 1_000_000

BOUNDS = {
    "a triage note, in characters": NARRATIVE,
    "an answer that is scored, in bytes": ANSWER,
    "lists and objects inside each other, in JSON": DEPTH,
    "a row of a table and a line of JSON lines, in bytes": ROW,
    "columns of a hospital's or of a predictions table": COLUMNS,
    "a JSON file, standard input, and any reply of an endpoint, in bytes": FILE,
    "a TOML file, in bytes": TOML,
    "an endpoint's reply, in bytes": REPLY,
    "and beside that for each token that was asked for, in bytes": REPLY_TOKEN,
    "rows of a damaged part of a parquet file that are named one by one": DAMAGED,
}
"""What is read at most. Beyond a bound the input is refused, or the row goes to quarantine; nothing is cut."""

_NUMERAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_TOO_DEEP = f"lists and objects lie more than {DEPTH} deep in each other"
_UNREADABLE = (OSError, EOFError, zlib.error)  # gzip.BadGzipFile is an OSError


def decoded(data: bytes, where: str | Path) -> str:
    """UTF-8 as text, without a byte order mark. Raises InputError with the place of the first byte that is none."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: {not_utf8(error)}, so it cannot be read; write it in UTF-8 (iconv).") from None


def not_utf8(error: UnicodeDecodeError) -> str:
    """What is wrong with bytes that are no UTF-8, and where, in words."""
    line = error.object.count(b"\n", 0, error.start) + 1
    column = error.start - error.object.rfind(b"\n", 0, error.start)
    return f"byte 0x{error.object[error.start]:02x} at line {line}, byte {column} of the line is not UTF-8"


def file_text(file: Path | Traversable, most: int = FILE, advice: str = "Give a text file.") -> str:
    """The text of a file, or of a pipe that somebody writes, of at most `most` bytes. Raises InputError, naming it."""
    try:
        with _opened(file) as stream:
            data = stream.read(most + 1)
            if not data and stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode):
                raise InputError(f"{file}: a pipe that nobody writes into. {advice}")
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}). {advice}") from None
    return decoded(_bounded(data, most, file), str(file))


def standard_input(most: int = FILE) -> str:
    """The text on standard input. Raises InputError where it is closed, too long, or not UTF-8."""
    if sys.stdin is None:
        raise InputError("standard input is closed; give the text, or a file.")
    return decoded(_bounded(sys.stdin.buffer.read(most + 1), most, "standard input"), "standard input")


def given_narrative(argument: str) -> str:
    """The narrative of a command line, `-` for standard input. Raises InputError where it is blank, long or broken."""
    # the bytes that were typed: Python decodes them by the locale, and hides what it cannot read in half surrogates
    text = standard_input() if argument == "-" else decoded(_typed(argument), "the narrative")
    if not text.strip():
        raise InputError("the narrative is empty; write what the triage nurse knows, e.g. complaint and vital signs.")
    if len(text) > NARRATIVE:
        raise InputError(f"the narrative has {len(text):,} characters, at most {NARRATIVE:,} are read; give one note.")
    return text


def strict_json(data: str | bytes) -> Any:
    """JSON by its standard: no NaN, no key twice, at most `DEPTH` lists and objects inside each other.

    Raises ValueError; bytes must be UTF-8.
    """
    text = data.decode("utf-8-sig") if isinstance(data, bytes) else data
    try:
        value = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_without_twins, parse_int=_whole_number)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if text.count("[") + text.count("{") > DEPTH and _depth(value) > DEPTH:
        raise ValueError(_TOO_DEEP)
    return value


def read_json(file: Path, advice: str = "Give a JSON file.") -> Any:
    """A JSON file, as `strict_json` reads it. Raises InputError, naming the file and the place."""
    return json_value(file_text(file, advice=advice), file, advice)


def json_value(text: str, where: str | Path, advice: str = "Give JSON.") -> Any:
    """`strict_json` with an InputError that names `where` and the place."""
    try:
        return strict_json(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{where}: line {error.lineno}, column {error.colno}: {error.msg}. {advice}") from None
    except ValueError as error:
        raise InputError(f"{where}: {error}. {advice}") from None


def read_toml(file: Path | Traversable, advice: str = "Give a TOML file.") -> dict[str, Any]:
    """A TOML file. Raises InputError, naming the file and the place."""
    text = file_text(file, TOML, advice)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{file}: not a TOML file: {error}. {advice}") from None
    except (RecursionError, ValueError) as error:  # a whole number of thousands of digits is a ValueError
        why = "tables or lists lie too deep in each other" if isinstance(error, RecursionError) else error
        raise InputError(f"{file}: not a TOML file: {why}. {advice}") from None


def numeral(text: str) -> float | None:
    """The number that a text is, in plain digits; null for all else that `float` takes: 1_0, nan, ٣, infinity."""
    found = _NUMERAL.fullmatch(text.strip())
    value = float(found[0]) if found else math.nan
    return value if math.isfinite(value) else None


def first_line(file: Path, most: int = TOML) -> str:
    """The first line of a text file, plain or gzipped. Raises InputError where it cannot be read or has no end."""
    try:
        with opened_bytes(file) as stream:
            line = stream.readline(most + 1)
    except _UNREADABLE as error:
        raise InputError(f"{file}: cannot be read ({error}).") from None
    if len(line) > most:
        raise InputError(f"{file}: its first line is longer than {most:,} bytes; it should name the columns.")
    return decoded(line, file).rstrip("\r\n")


def plain_file(file: Path) -> Path:
    """The file; InputError for a folder, a pipe or a device: a table is read more than once, and to its end."""
    if file.exists() and not file.is_file():
        raise InputError(f"{file}: a folder, a pipe or a device; give a plain file.")
    return file


def opened_bytes(file: Path) -> IO[bytes]:
    """The content of a plain file, unpacked where the name ends in .gz."""
    plain_file(file)
    return gzip.open(file) if file.suffix.lower() == ".gz" else file.open("rb")  # pyright: ignore[reportReturnType]


def _opened(file: Path | Traversable) -> IO[bytes]:
    """Open without waiting for the writer of a named pipe; reading then waits as usual."""
    if not isinstance(file, Path):
        return file.open("rb")
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    os.set_blocking(descriptor, True)
    return os.fdopen(descriptor, "rb")


def _typed(argument: str) -> bytes:
    try:
        return os.fsencode(argument)
    except UnicodeEncodeError:
        return argument.encode("utf-8", "surrogatepass")


def _bounded(data: bytes, most: int, where: object) -> bytes:
    if len(data) > most:
        raise InputError(f"{where}: longer than {most:,} bytes, the most that is read of it.")
    return data


def _depth(value: Any) -> int:
    """How deep lists and objects lie in each other."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, (list, dict))]:
        depth += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return depth


def _whole_number(digits: str) -> int:
    if len(digits) > 1000:
        raise ValueError(f"a whole number of {len(digits)} digits")
    return int(digits)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise ValueError(f"key {twice[:40]!r} stands twice")
    return found
