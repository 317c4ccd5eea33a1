"""Scored parts to one file, the same byte for byte as one process writes it; case_ids that stand twice are found here.

Workers see one part each, so none of them can know that an id stands in another part. Eight bytes a row are kept for
it: 8 MB for a million rows.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from ...atomic_files import quarantine_of, sha256_of, whole
from ...data.case_table import BadRow, second_row, write_quarantine
from ...errors import InputError
from ..score_file import bad_prediction, write_predictions
from .cut import Part
from .part_files import Job, ids_file


class Merged(NamedTuple):
    """What came of a batch: its rows, how many could not be used, why cases got no reply, and the model's notice."""

    rows: int
    bad: int
    failed: Counter[str]
    notice: str | None = None


def merge(job: Job, parts: Sequence[Part], records: Sequence[dict[str, Any]], output: Path) -> Merged:
    """Write `output` and its quarantine file from the part files. Raises InputError where one of them has changed."""
    for part, record in zip(parts, records, strict=True):
        if sha256_of(job.file(part)) != record["sha256"]:
            raise InputError(f"{job.file(part)}: it has changed since it was scored; remove it and score again.")
    again = {row.row: row for row in _second_rows(job, parts)}
    touched = [any(part.first <= row < part.first + part.rows for row in again) for part in parts]
    private = any(record["private"] for record in records)
    if job.ending == ".jsonl":
        with whole(output, private) as temporary, temporary.open("wb") as merged:
            for part, rewrite in zip(parts, touched, strict=True):
                _append(job.file(part), merged, part, again if rewrite else {})
    else:
        write_predictions((row for part in parts for row in _rows(job.file(part), part, again)), output, private)
    _merge_quarantine(job, parts, list(again.values()), output)
    failed = sum((Counter(record["failed"]) for record in records), Counter())
    return Merged(sum(p.rows for p in parts), sum(record["bad"] for record in records) + len(again), failed)


def _append(file: Path, merged: Any, part: Part, again: dict[int, BadRow]) -> None:
    with file.open("rb") as stream:
        if not again:
            shutil.copyfileobj(stream, merged, 1 << 20)
            return
        for number, line in enumerate(stream, start=part.first):
            bad = again.get(number)
            merged.write(f"{json.dumps(bad_prediction(bad), ensure_ascii=False)}\n".encode() if bad else line)


def _rows(file: Path, part: Part, again: dict[int, BadRow]) -> Iterator[dict[str, Any]]:
    number = part.first
    for batch in pq.ParquetFile(file).iter_batches(10_000):
        for row in batch.to_pylist():
            yield bad_prediction(again[number]) if number in again else row
            number += 1


def _second_rows(job: Job, parts: Sequence[Part]) -> list[BadRow]:
    """The rows whose case_id an earlier good row has, in order."""
    if not parts:
        return []
    hashes = np.concatenate([np.load(ids_file(job.file(part))) for part in parts])
    in_order = np.sort(hashes)
    shared = np.unique(in_order[1:][(in_order[1:] == in_order[:-1]) & (in_order[1:] > 0)])
    rows = set((np.flatnonzero(np.isin(hashes, shared)) + 1).tolist()) if len(shared) else set()
    first: dict[str, int] = {}
    found = []
    for number, case_id in _case_ids(job, parts, rows):
        seen = first.setdefault(case_id, number)
        if seen != number:
            found.append(second_row(number, case_id, seen))
    return found


def _case_ids(job: Job, parts: Sequence[Part], rows: set[int]) -> Iterator[tuple[int, str]]:
    for part in parts:
        if any(part.first <= row < part.first + part.rows for row in rows):
            file = job.file(part)
            for number, row in enumerate(_json(file) if job.ending == ".jsonl" else _rows(file, part, {}), part.first):
                if number in rows:
                    yield number, row["case_id"]


def _json(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def _merge_quarantine(job: Job, parts: Sequence[Part], again: list[BadRow], output: Path) -> None:
    """The parts' quarantine files in one, in order; streamed, since every row of a large file may be bad."""
    files = [quarantine_of(job.file(part)) for part in parts]
    rows = (BadRow(**row) for file in files if file.is_file() for row in _json(file))
    write_quarantine(sorted([*rows, *again], key=lambda row: row.row) if again else rows, output)
