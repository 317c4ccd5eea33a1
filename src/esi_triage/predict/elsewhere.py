"""Predictions made elsewhere, read as a model: each case gets the reply that the file has for it."""

import json
import math
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from ..answer import parse
from ..data.table import BadRow, read_rows
from ..errors import InputError
from ..esi import LEVELS, Case
from .model import Model, Probabilities, Reply, no_reply, streaming_model


def predictions_model(file: Path, cases: Path, name: str | None = None) -> Model:
    """The predictions in `file` (.jsonl, .parquet or .csv) for the case table `cases`, as a model.

    A row has `case_id` and `level` (1 to 5, or null or blank for no answer); `probabilities` (five, of ESI 1 to 5) and
    `answer` (the text) may be there, and without `level` it is read from `answer`. A case that has no row gets no
    level. Raises InputError, naming the row, for a case_id that is unknown or occurs twice, and for a bad value.
    """
    known = {str(row["case_id"]) for row in read_rows(cases) if isinstance(row, dict) and row.get("case_id")}
    replies: dict[str, Reply] = {}
    for number, row in enumerate(_rows(file), start=1):
        where = f"{file}: row {number}"
        if isinstance(row, BadRow):
            raise InputError(f"{where}: {row.reason}; correct it.")
        case_id = str(row.get("case_id") or "")
        if not case_id or ("level" not in row and "answer" not in row):
            raise InputError(
                f"{where} lacks case_id, or both level and answer; every row needs a case_id and one of them."
            )
        if case_id not in known:
            raise InputError(f"{where}: case_id {case_id!r} is not in {cases}; give predictions for its cases only.")
        if case_id in replies:
            raise InputError(f"{where}: case_id {case_id!r} occurs a second time; keep one row a case.")
        replies[case_id] = _reply(row, where)
    missing = no_reply(f"no row in {file.name}")

    def stream(cases: Sequence[Case]) -> Generator[list[tuple[int, Reply]], None, None]:
        yield [(place, replies.get(case.case_id, missing)) for place, case in enumerate(cases)]

    return streaming_model(name or file.stem, stream)


def _rows(file: Path) -> Any:
    if file.suffix != ".csv":
        return read_rows(file)
    from ..data.sheet import header, read_sheet

    names = [name for name in header(file) if name in ("case_id", "level", "probabilities", "answer")]
    sheet = read_sheet(file, names)
    if sheet.unread:
        raise InputError(f"{file}: row {sheet.unread[0].row}: {sheet.unread[0].reason}; correct it.")
    found = sheet.database.execute("SELECT * EXCLUDE source_row FROM sheet ORDER BY source_row")
    return (dict(zip(names, row, strict=True)) for row in found.fetchall())


def _reply(row: dict[str, Any], where: str) -> Reply:
    text = str(row.get("answer") or "")
    answer = parse(text)
    level = _level(row["level"], where) if "level" in row else answer.level
    return Reply(level, answer.text, answer.strict, _probabilities(row.get("probabilities"), where))


def _level(value: Any, where: str) -> int | None:
    if value is None or (isinstance(value, str) and not value.strip()) or (isinstance(value, float) and value != value):
        return None
    try:
        level = float(value)
    except (TypeError, ValueError):
        level = math.nan
    if isinstance(value, bool) or level not in LEVELS:
        raise InputError(f"{where}: level = {value!r}; a level is 1 to 5, or null for no answer.")
    return int(level)


def _probabilities(value: Any, where: str) -> Probabilities | None:
    """Five numbers of 0 or more whose sum is 1 (to a hundredth), as a list or as JSON text."""
    if value is None or value == "":
        return None
    try:
        one, two, three, four, five = (float(p) for p in (json.loads(value) if isinstance(value, str) else value))
    except (TypeError, ValueError):
        raise InputError(f"{where}: probabilities = {value!r}; give five numbers, of ESI 1 to 5.") from None
    found = (one, two, three, four, five)
    if not min(found) >= 0 or not abs(sum(found) - 1) <= 0.01:
        raise InputError(f"{where}: probabilities = {value!r}; give five numbers of 0 or more that sum to 1.")
    return found
