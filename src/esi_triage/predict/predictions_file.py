"""A predictions file of any origin, read as a model: each case gets the reply that the file has for it."""

import math
from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..answer import parse
from ..data.case_table import BadRow, read_rows
from ..errors import InputError
from ..esi import LEVELS, Case
from ..reading import ANSWER, numeral, strict_json
from .model import Model, Probabilities, Reply, no_reply

_FIVE = ("p1", "p2", "p3", "p4", "p5")
_USED = {"case_id", "stay_id", "level", "answer", "probabilities", *_FIVE}


def predictions_model(
    file: Path, cases: Path, name: str | None = None, id_column: str | None = None, level_column: str | None = None
) -> Model:
    """The predictions in `file` (.jsonl, .parquet or .csv) for the case table `cases`, as a model.

    A row has an id (`id_column`, else `case_id` or `stay_id`: a case_id or a stay_id of the table) and a level
    (`level_column`, else `level`: 1 to 5, or null or blank for no answer). `probabilities` (five, of ESI 1 to 5) or
    `p1` to `p5`, and `answer` (the text) may be there; without a level it is read from `answer`. Columns that are not
    used are named in the model's settings. A case that has no row gets no level.

    Raises InputError for a file without such columns, and, naming the row, for an id that is unknown or occurs twice
    and for a bad value.
    """
    rows = list(_rows(file, {*_USED, *(name for name in (id_column, level_column) if name)}))
    header = dict.fromkeys(column for row in rows if isinstance(row, dict) for column in row)
    used = _columns(list(header), file, id_column, level_column) if header else _Columns("case_id", "level", ())
    known = _known_ids(cases)
    replies: dict[str, Reply] = {}
    for number, row in enumerate(rows, start=1):
        where = f"{file}: row {number}"
        if isinstance(row, BadRow):
            raise InputError(f"{where}: {row.reason}; correct it.")
        case_id = _case_id(row, used, known, where, cases)
        if case_id in replies:
            raise InputError(f"{where}: {used.id} {row[used.id]!r} occurs a second time; keep one row a case.")
        replies[case_id] = _reply(row, used, where)
    missing = no_reply(f"no row in {file.name}")

    def stream(cases: Sequence[Case]) -> Generator[list[tuple[int, Reply]], None, None]:
        yield [(place, replies.get(case.case_id, missing)) for place, case in enumerate(cases)]

    unused = [column for column in header if column not in (used.id, used.level, "answer", *used.probabilities)]
    return Model(name or file.stem, stream, settings={"unused_columns": unused} if unused else {})


class _Columns(NamedTuple):
    """The columns that are read; `probabilities` are one column, five, or none."""

    id: str
    level: str
    probabilities: tuple[str, ...]


def _columns(header: list[str], file: Path, id_column: str | None, level_column: str | None) -> _Columns:
    for option, given in (("--id-column", id_column), ("--level-column", level_column)):
        if given is not None and given not in header:
            raise InputError(f"{file}: there is no column '{given}' ({option}). Its columns are: {_listed(header)}.")
    found = id_column or next((name for name in ("case_id", "stay_id") if name in header), None)
    level = level_column or "level"
    if found is None or (level not in header and "answer" not in header):
        raise InputError(
            f"{file}: predictions need an id (case_id or stay_id; another with --id-column) and a level (level or "
            f"answer; another with --level-column). Its columns are: {_listed(header)}."
        )
    five = _FIVE if set(_FIVE) <= set(header) else ()
    return _Columns(found, level, ("probabilities",) if "probabilities" in header else five)


def _listed(header: list[str]) -> str:
    return ", ".join(name[:40] for name in header[:30]) + (f" and {len(header) - 30} more" if len(header) > 30 else "")


def _known_ids(cases: Path) -> dict[str, str]:
    """The case_id by each case_id, and by each stay_id that one case alone has."""
    rows = [row for row in read_rows(cases, ("case_id", "stay_id")) if isinstance(row, dict) and row.get("case_id")]
    stays = Counter(_text(row.get("stay_id")) for row in rows)
    by_stay = {stay: _text(row["case_id"]) for row in rows if stays[stay := _text(row.get("stay_id"))] == 1 and stay}
    return by_stay | {_text(row["case_id"]): _text(row["case_id"]) for row in rows}


def _text(value: Any) -> str:
    """An id as text: 1001.0, as pandas writes a whole number in a column with gaps, is 1001."""
    if value is None or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _case_id(row: dict[str, Any], used: _Columns, known: dict[str, str], where: str, cases: Path) -> str:
    named = _text(row.get(used.id))
    if not named or (used.level not in row and "answer" not in row):
        raise InputError(
            f"{where} has no {used.id}, or neither {used.level} nor answer; every row needs {used.id} and one of them."
        )
    if named not in known:
        raise InputError(f"{where}: {used.id} {named[:80]!r} is not in {cases}; give predictions for its cases only.")
    return known[named]


def _rows(file: Path, wanted: set[str]) -> Iterable[dict[str, Any] | BadRow]:
    """The rows with all columns, those that are not `wanted` as null where the file allows it."""
    if file.suffix.lower() in (".jsonl", ".ndjson", ".parquet"):
        return read_rows(file, wanted)
    from ..data.hospital.sheet import header, read_sheet

    names = header(file)
    read = [name for name in names if name in wanted]
    if not read:
        return [dict.fromkeys(names)]
    sheet = read_sheet(file, read, names)
    if sheet.unread:
        raise InputError(f"{file}: row {sheet.unread[0].row}: {sheet.unread[0].reason}; correct it.")
    found = sheet.database.execute("SELECT * EXCLUDE source_row FROM sheet ORDER BY source_row")
    return (dict.fromkeys(names) | dict(zip(read, row, strict=True)) for row in found.fetchall())


def _reply(row: dict[str, Any], used: _Columns, where: str) -> Reply:
    answer = parse(_answer(row.get("answer"), where))
    level = _level(row[used.level], used.level, where) if used.level in row else answer.level
    values = [row.get(column) for column in used.probabilities]
    probabilities = _probabilities(values[0] if len(values) == 1 else values, where)
    return Reply(level, answer.text, answer.strict, probabilities)


def _answer(value: Any, where: str) -> str:
    if not isinstance(value, str | None):
        raise InputError(f"{where}: answer = {_short(value)}; an answer is text.")
    text = value or ""
    if (size := len(text.encode())) > ANSWER:
        raise InputError(f"{where}: answer: it has {size:,} bytes, at most {ANSWER:,} are read.")
    return text


def _level(value: Any, column: str, where: str) -> int | None:
    if value is None or (isinstance(value, str) and not value.strip()) or (isinstance(value, float) and value != value):
        return None
    level = _number(value)
    if level not in LEVELS:
        raise InputError(f"{where}: {column} = {_short(value)}; a level is 1 to 5, or null for no answer.")
    return int(level)


def _number(value: Any) -> float:
    """A number, or text that is one; NaN for all else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        found = numeral(value) if isinstance(value, str) else float(value)
    except OverflowError:
        return math.nan
    return math.nan if found is None else found


def _probabilities(value: Any, where: str) -> Probabilities | None:
    """Five numbers of 0 or more, as a list or as JSON text. Their sum is 1 to a hundredth, and is made 1."""
    if all(p is None or p == "" or p != p for p in (value if isinstance(value, list) else [value])):  # p != p: NaN
        return None
    try:
        given = strict_json(value) if isinstance(value, str) else value
        one, two, three, four, five = map(_number, given if isinstance(given, list) else ())
    except ValueError:
        raise InputError(f"{where}: probabilities = {_short(value)}; give five numbers, of ESI 1 to 5.") from None
    possible = all(0 <= p <= 1.01 for p in (one, two, three, four, five))
    total = math.fsum((one, two, three, four, five)) if possible else math.nan
    if not abs(total - 1) <= 0.01 + 1e-9:
        raise InputError(f"{where}: probabilities = {_short(value)}; give five numbers of 0 or more that sum to 1.")
    return (one / total, two / total, three / total, four / total, five / total)


def _short(value: Any) -> str:
    told = repr(value)
    return told if len(told) <= 100 else f"{told[:100]}... ({len(told)} characters)"
