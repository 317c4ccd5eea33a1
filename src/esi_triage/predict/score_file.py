"""A file of narratives in, a file of predictions out: order and count are kept, bad rows are named."""

import json
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from .. import resume_cache
from ..atomic_files import quarantine_of, refuse_overwriting, whole
from ..data.case_table import BadRow, checked_rows, write_quarantine
from ..errors import InputError
from ..esi import Case
from ..progress import bar
from .model import Model, Reply, ask


class Scoring(NamedTuple):
    """What came of a file: its rows, those that could not be used, and why cases got no reply, one reason each."""

    rows: int
    bad: list[BadRow]
    failed: list[str]


def replies_to(model: Model, cases: Sequence[Case], label: str, output: Path | None = None) -> list[Reply]:
    """The model's replies, in order, with a progress bar.

    Where `output` is given and the model has an identity, replies are kept beside it as they come, and those of an
    earlier run that was cut short are taken up; `resume_cache.close` ends that once the output is written.
    """
    if output is None or model.identity is None:
        with bar(label, len(cases), "case") as shown:
            return ask(model, cases, told=lambda batch: shown.update(len(batch)))
    with resume_cache.opened(output, model.identity, Reply) as cache:
        known = {place: reply for place, case in enumerate(cases) if (reply := cache.get(case))}
        with bar(label, len(cases), "case", len(known)) as shown:
            return ask(model, cases, known, lambda batch: (cache.keep(batch), shown.update(len(batch))))


def score_file(model: Model, source: Path, output: Path) -> Scoring:
    """Score every row of `source` (.jsonl or .parquet) into `output`.

    A row needs `case_id` and `narrative`; the other columns of a case are taken where they are there. Rows out:
    `case_id`, `level` (1 to 5 or null), `answer`, `probabilities`, `set`, `hand_over`, `possible`, `warnings` (as in
    `Reply`), `strict`, `truncated`, `error`, and the row's `gold`, `subject_id` and `group`. A bad row keeps its place,
    with a null level and its `error`, and is written to `<output>.quarantine.jsonl` as well; a case to which no reply
    came has a null level and its `error`.
    """
    check_predictions_output(output)
    refuse_overwriting((output, quarantine_of(output), resume_cache.cache_of(output)), source)
    rows = list(checked_rows(source))
    good = [row for row in rows if isinstance(row, Case)]
    replies = replies_to(model, good, f"{model.name} on {source.name}", output)
    coming = iter(replies)
    predictions = [bad_prediction(row) if isinstance(row, BadRow) else prediction(row, next(coming)) for row in rows]
    write_predictions(predictions, output, private=any(case.licence != "open" for case in good))
    bad = [row for row in rows if isinstance(row, BadRow)]
    write_quarantine(bad, output)
    return Scoring(len(rows), bad, resume_cache.close(output, replies))


def prediction(case: Case | str, reply: Reply) -> dict[str, Any]:
    """One row of a predictions file; with the case instead of its case_id, gold, patient and group as well."""
    known = isinstance(case, Case)
    return {
        "case_id": case.case_id if known else case,
        "level": reply.level,
        "answer": reply.text,
        "probabilities": list(reply.probabilities) if reply.probabilities else None,
        "set": list(reply.level_set) if reply.level_set is not None else None,
        "hand_over": list(reply.hand_over),
        "possible": list(reply.possible) if reply.possible else None,
        "warnings": list(reply.warnings),
        "strict": reply.strict,
        "truncated": reply.truncated,
        "error": reply.error,
        "gold": case.gold if known else None,
        "subject_id": case.subject_id if known else None,
        "group": case.group if known else None,
    }


def write_predictions(predictions: Iterable[dict[str, Any]], output: Path, private: bool = False) -> None:
    """Write predictions as .jsonl or .parquet, whole or not at all, some at a time; `private` for their owner alone."""
    check_predictions_output(output)
    rows = iter(predictions)
    with whole(output, private) as temporary:
        if output.suffix == ".parquet":
            with pq.ParquetWriter(temporary, _SCHEMA) as writer:
                while some := list(islice(rows, 10_000)):
                    writer.write_table(pa.Table.from_pylist(some, _SCHEMA))
        else:
            with temporary.open("w", encoding="utf-8") as stream:
                stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


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
            possible=tuple(row["possible"]) if row.get("possible") else None,
            warnings=tuple(row.get("warnings") or ()),
            level_set=None if row.get("set") is None else tuple(row["set"]),
            hand_over=tuple(row.get("hand_over") or ()),
        )
        for row in rows
    ]


_SCHEMA = pa.schema(
    {
        "case_id": pa.string(),
        "level": pa.int8(),
        "answer": pa.string(),
        "probabilities": pa.list_(pa.float64()),
        "set": pa.list_(pa.int8()),
        "hand_over": pa.list_(pa.string()),
        "possible": pa.list_(pa.int8()),
        "warnings": pa.list_(pa.string()),
        "strict": pa.bool_(),
        "truncated": pa.bool_(),
        "error": pa.string(),
        "gold": pa.int8(),
        "subject_id": pa.string(),
        "group": pa.string(),
    }
)


def check_predictions_output(output: Path) -> None:
    """Raises InputError where predictions cannot be written under that name."""
    if output.suffix not in (".jsonl", ".parquet"):
        raise InputError(f"{output}: predictions are written as .jsonl or .parquet; choose a name that ends so.")


def bad_prediction(row: BadRow) -> dict[str, Any]:
    """The row of a predictions file that keeps the place of a row that could not be used."""
    return dict.fromkeys(_SCHEMA.names) | {
        "case_id": row.case_id,
        "hand_over": [],
        "warnings": [],
        "strict": False,
        "truncated": False,
        "error": f"row {row.row}: {row.reason}",
    }
