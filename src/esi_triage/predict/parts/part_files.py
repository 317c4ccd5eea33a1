"""One part: its predictions in a file of their own, and a record that says they are all there.

OUTPUT.parts/  part-00017.jsonl  part-00017.jsonl.ids.npy  part-00017.json (the record, written last)
"""

import hashlib
import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ... import resume_cache
from ...atomic_files import sha256_of, whole, write_json
from ...data.case_table import BadRow, write_quarantine
from ...esi import Case
from ..model import Model, Reply, ask
from ..score_file import bad_prediction, prediction, write_predictions
from .cut import Part, rows_of


class Job(NamedTuple):
    """What all workers of a batch know: the input, its stamp, and the folder and ending of the part files."""

    source: Path
    stamp: str
    folder: Path
    ending: str

    def file(self, part: Part) -> Path:
        """Where the predictions of a part are."""
        return self.folder / f"part-{part.number:05}{self.ending}"

    def record(self, part: Part) -> Path:
        """Where it is said that they are whole."""
        return self.folder / f"part-{part.number:05}.json"


def ids_file(predictions: Path) -> Path:
    """Where the hashes of a part's case_ids are: one of 64 bits a row, 0 for a bad row."""
    return predictions.with_name(f"{predictions.name}.ids.npy")


def score_part(model: Model, job: Job, part: Part) -> None:
    """Score one part into its files. Replies of a model that has an identity are kept as they come."""
    file = job.file(part)
    rows = list(rows_of(job.source, part))
    good = [row for row in rows if isinstance(row, Case)]
    replies = _replies(model, good, file)
    coming = iter(replies)
    scored = (prediction(row, next(coming)) if isinstance(row, Case) else bad_prediction(row) for row in rows)
    private = any(case.licence != "open" for case in good)
    write_predictions(scored, file, private)
    bad = [row for row in rows if isinstance(row, BadRow)]
    write_quarantine(bad, file)
    with whole(ids_file(file)) as temporary, temporary.open("wb") as stream:
        np.save(stream, np.array([id_hash(r.case_id) if isinstance(r, Case) else 0 for r in rows], np.uint64))
    failed = Counter(resume_cache.close(file, replies))
    write_json(
        job.record(part),
        _expected(job, part, model_identity(model))
        | {"bad": len(bad), "failed": failed, "private": private, "sha256": sha256_of(file)},
    )


def _replies(model: Model, cases: list[Case], file: Path) -> list[Reply]:
    if model.identity is None:
        return ask(model, cases)
    with resume_cache.opened(file, model.identity, Reply) as kept:
        known = {place: reply for place, case in enumerate(cases) if (reply := kept.get(case))}
        return ask(model, cases, known, kept.keep)


def read_record(job: Job, part: Part, identity: str) -> dict[str, Any] | None:
    """The record of a part that was scored whole, by the model of that `identity`, from the input as it is; else None.

    A part that holds cases without a reply counts as scored; `failed` in its record says how many.
    """
    try:
        record = json.loads(job.record(part).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    wanted = _expected(job, part, identity)
    return record if {key: record.get(key) for key in wanted} == wanted and job.file(part).is_file() else None


def _expected(job: Job, part: Part, identity: str) -> dict[str, Any]:
    return {"part": part.number, "first_row": part.first, "rows": part.rows, "source": job.stamp, "model": identity}


def id_hash(case_id: str) -> int:
    """64 bits of a case_id, never 0. Two ids may share them: equal hashes call for a look at the ids."""
    return int.from_bytes(hashlib.blake2b(case_id.encode(), digest_size=8).digest(), "big") or 1


def model_identity(model: Model) -> str:
    """What decides a model's replies: its own identity, or its name, its settings (of which its weights' and its
    calibration's hashes are some), and the code and rules of this installation."""
    settings = json.dumps(dict(model.settings), sort_keys=True, default=str)
    return hashlib.sha256((model.identity or f"{model.name} {settings} {_code()}").encode()).hexdigest()


@cache
def _code() -> str:
    package = Path(__file__).parents[2]
    files = sorted(file for ending in ("py", "toml") for file in package.rglob(f"*.{ending}"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
