"""A file of narratives in, a file of predictions out: order and count are kept, bad rows are named."""

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from ..data.table import BadRow, read_rows, write_quarantine
from ..errors import InputError, first_problem
from ..esi import Case
from ..files import whole, write_text
from ..progress import bar
from . import journal
from .model import Model, Reply, Stream

MAX_CHARACTERS = 20_000  # a triage note is a few hundred; beyond this a row is a mistake, not a note


class Scoring(NamedTuple):
    """What came of a file: its rows, those that could not be used, and why cases got no reply, one reason each."""

    rows: int
    bad: list[BadRow]
    failed: list[str]


def replies_to(model: Model, cases: Sequence[Case], label: str, output: Path | None = None) -> list[Reply]:
    """The model's replies, in order, with a progress bar.

    Where `output` is given and the model takes long, replies are kept beside it as they come, and those of an earlier
    run that was cut short are taken up; `journal.close` ends that once the output is written.
    """
    if model.stream is None:
        with bar(label, len(cases), "case") as shown:
            return model.answer([case.narrative for case in cases], shown.update)
    if output is None or model.identity is None:
        return _asked(model.stream, cases, label, {}, lambda _: None)
    with journal.opened(output, model.identity) as kept:
        known = {place: reply for place, case in enumerate(cases) if (reply := kept.get(case))}
        return _asked(model.stream, cases, label, known, kept.keep)


def _asked(
    stream: Stream,
    cases: Sequence[Case],
    label: str,
    known: dict[int, Reply],
    keep: Callable[[list[tuple[Case, Reply]]], object],
) -> list[Reply]:
    replies = dict(known)
    asked = [place for place in range(len(cases)) if place not in known]
    with bar(label, len(cases), "case", len(known)) as shown, closing(stream([cases[i] for i in asked])) as coming:
        for told in coming:
            keep([(cases[asked[i]], reply) for i, reply in told])
            replies.update((asked[i], reply) for i, reply in told)
            shown.update(len(told))
    return [replies[place] for place in range(len(cases))]


def score_file(model: Model, source: Path, output: Path) -> Scoring:
    """Score every row of `source` (.jsonl or .parquet) into `output`.

    A row needs `case_id` and `narrative`; the other columns of a case are taken where they are there. Rows out:
    `case_id`, `level` (1 to 5 or null), `answer`, `probabilities`, `strict`, `truncated`, `error`, and the row's `gold`
    and `subject_id`. A bad row keeps its place, with a null level and its `error`, and is written to
    `<output>.quarantine.jsonl` as well; a case to which no reply came has a null level and its `error`.
    """
    _writable(output)
    rows = [_checked(number, row, source.stem) for number, row in enumerate(read_rows(source), start=1)]
    good = [row for row in rows if isinstance(row, Case)]
    replies = replies_to(model, good, f"{model.name} on {source.name}", output)
    coming = iter(replies)
    predictions = [_failed(row) if isinstance(row, BadRow) else prediction(row, next(coming)) for row in rows]
    write_predictions(predictions, output)
    bad = [row for row in rows if isinstance(row, BadRow)]
    write_quarantine(bad, output)
    return Scoring(len(rows), bad, journal.close(output, replies))


def prediction(case: Case | str, reply: Reply) -> dict[str, Any]:
    """One row of a predictions file; with the case instead of its case_id, gold and patient as well."""
    known = isinstance(case, Case)
    return {
        "case_id": case.case_id if known else case,
        "level": reply.level,
        "answer": reply.text,
        "probabilities": list(reply.probabilities) if reply.probabilities else None,
        "strict": reply.strict,
        "truncated": reply.truncated,
        "error": reply.error,
        "gold": case.gold if known else None,
        "subject_id": case.subject_id if known else None,
    }


def write_predictions(predictions: list[dict[str, Any]], output: Path) -> None:
    """Write predictions as .jsonl or .parquet, whole or not at all."""
    _writable(output)
    if output.suffix == ".parquet":
        with whole(output) as temporary:
            pq.write_table(pa.Table.from_pylist(predictions, _SCHEMA), temporary)
    else:
        write_text(output, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in predictions))


def read_replies(file: Path) -> list[Reply]:
    """The replies in a predictions file of ours, in order."""
    rows = pq.read_table(file).to_pylist()
    return [
        Reply(
            level=row["level"],
            text=row["answer"] or "",
            strict=row["strict"],
            probabilities=tuple(row["probabilities"]) if row["probabilities"] else None,
            truncated=row["truncated"],
            error=row["error"],
        )
        for row in rows
    ]


_SCHEMA = pa.schema(
    {
        "case_id": pa.string(),
        "level": pa.int8(),
        "answer": pa.string(),
        "probabilities": pa.list_(pa.float64()),
        "strict": pa.bool_(),
        "truncated": pa.bool_(),
        "error": pa.string(),
        "gold": pa.int8(),
        "subject_id": pa.string(),
    }
)


def _writable(output: Path) -> None:
    if output.suffix not in (".jsonl", ".parquet"):
        raise InputError(f"{output}: predictions are written as .jsonl or .parquet; choose a name that ends so.")


def _checked(number: int, row: dict[str, Any] | BadRow, source: str) -> Case | BadRow:
    if isinstance(row, BadRow):
        return row
    case_id, narrative = row.get("case_id"), row.get("narrative")
    named = str(case_id) if case_id not in (None, "") else None
    if named is None:
        return BadRow(number, None, "case_id is missing")
    if not isinstance(narrative, str) or not narrative.strip():
        return BadRow(number, named, "narrative is missing or blank")
    if len(narrative) > MAX_CHARACTERS:
        return BadRow(number, named, f"narrative has {len(narrative)} characters; at most {MAX_CHARACTERS}")
    known = {name: row[name] for name in Case.model_fields if row.get(name) is not None}
    try:
        return Case.model_validate({"source": source, "licence": "credentialed", **known, "case_id": named})
    except ValidationError as error:
        return BadRow(number, named, first_problem(error))


def _failed(row: BadRow) -> dict[str, Any]:
    return dict.fromkeys(_SCHEMA.names) | {
        "case_id": row.case_id,
        "strict": False,
        "truncated": False,
        "error": f"row {row.row}: {row.reason}",
    }
