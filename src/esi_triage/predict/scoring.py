"""A file of narratives in, a file of predictions out: order and count are kept, bad rows are named."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..data.table import BadRow, read_rows, write_quarantine
from ..errors import InputError
from ..files import whole, write_text
from ..progress import bar
from .model import Model, Reply

MAX_CHARACTERS = 20_000  # a triage note is a few hundred; beyond this a row is a mistake, not a note


def replies_to(model: Model, narratives: Sequence[str], label: str) -> list[Reply]:
    """The model's replies, in order, with a progress bar."""
    with bar(label, len(narratives), "case") as shown:
        return model.answer(narratives, shown.update)


def score_file(model: Model, source: Path, output: Path) -> tuple[int, list[BadRow]]:
    """Score every row of `source` (.jsonl or .parquet) into `output`; returns the count of rows and the bad ones.

    A row needs `case_id` and `narrative`. Rows out: `case_id`, `level` (1 to 5 or null), `answer`, `probabilities`,
    `strict`, `truncated`, `error`. A bad row keeps its place, with a null level and its `error`, and is written to
    `<output>.quarantine.jsonl` as well.
    """
    _writable(output)
    rows = [_checked(number, row) for number, row in enumerate(read_rows(source), start=1)]
    good = [row for row in rows if not isinstance(row, BadRow)]
    replies = iter(replies_to(model, [row["narrative"] for row in good], f"{model.name} on {source.name}"))
    predictions = [
        _failed(row) if isinstance(row, BadRow) else prediction(row["case_id"], next(replies)) for row in rows
    ]
    write_predictions(predictions, output)
    bad = [row for row in rows if isinstance(row, BadRow)]
    write_quarantine(bad, output)
    return len(rows), bad


def prediction(case_id: str, reply: Reply) -> dict[str, Any]:
    """One row of a predictions file."""
    return {
        "case_id": case_id,
        "level": reply.level,
        "answer": reply.text,
        "probabilities": list(reply.probabilities) if reply.probabilities else None,
        "strict": reply.strict,
        "truncated": reply.truncated,
        "error": None,
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
    }
)


def _writable(output: Path) -> None:
    if output.suffix not in (".jsonl", ".parquet"):
        raise InputError(f"{output}: predictions are written as .jsonl or .parquet; choose a name that ends so.")


def _checked(number: int, row: dict[str, Any] | BadRow) -> dict[str, Any] | BadRow:
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
    return {"case_id": named, "narrative": narrative}


def _failed(row: BadRow) -> dict[str, Any]:
    return dict.fromkeys(_SCHEMA.names) | {
        "case_id": row.case_id,
        "strict": False,
        "truncated": False,
        "error": f"row {row.row}: {row.reason}",
    }
