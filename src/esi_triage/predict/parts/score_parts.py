"""A file of any size scored in parts: what is done stays done, and the merged output does not depend on who did it."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ...atomic_files import quarantine_of, refuse_overwriting, write_json
from ...errors import InputError
from ...progress import bar
from ..model import Model
from ..score_file import check_predictions_output
from .cut import Part, cut, stamp
from .local_workers import score_locally
from .merge import Merged, merge
from .part_files import Job, model_identity, read_record
from .ray_workers import score_by_ray


def score_parts(
    load: Callable[[], Model],
    source: Path,
    output: Path,
    parts: int | None = None,
    workers: int = 1,
    ray: str | None = None,
) -> Merged:
    """Score `source` into `output` in `parts` parts by `workers` processes, or actors of a `ray` cluster.

    `load` is called in each worker, so it must be picklable. Parts that a run which was cut short has finished are
    taken up. OUTPUT.manifest.json then says of each part its rows, its bad rows, its sha256 and the model's identity;
    OUTPUT.parts/ is removed once the output is there, and kept where cases got no reply: the same command asks those
    again. Raises InputError where the source cannot be read, changes meanwhile, or the output cannot be written.
    """
    check_predictions_output(output)
    refuse_overwriting((output, quarantine_of(output)), source)
    job = Job(source.absolute(), stamp(source), output.absolute().with_name(f"{output.name}.parts"), output.suffix)
    name, identity, notice = _known(load)
    places = cut(source, parts)
    records = {part: record for part in places if (record := read_record(job, part, identity)) and not record["failed"]}
    missing = [part for part in places if part not in records]
    job.folder.mkdir(parents=True, exist_ok=True)
    with bar(f"{name} on {source.name}", sum(p.rows for p in places), "row", sum(p.rows for p in records)) as way:
        for part in _workers(load, job, missing, min(workers, len(missing)), ray) if missing else ():
            records[part] = _record(job, part, identity)
            way.update(part.rows)
    if stamp(source) != job.stamp:
        raise InputError(f"{source}: it has changed while it was being scored; score it again.")
    merged = merge(job, places, [records[part] for part in places], output)
    write_json(output.with_name(f"{output.name}.manifest.json"), {"parts": [records[part] for part in places]})
    if not merged.failed:
        shutil.rmtree(job.folder)
    return merged._replace(notice=notice)


def _known(load: Callable[[], Model]) -> tuple[str, str, str | None]:
    """Name, identity and notice of the model; it is not kept, so that its memory is the workers'."""
    model = load()
    return model.name, model_identity(model), model.notice


def _workers(
    load: Callable[[], Model], job: Job, parts: Sequence[Part], workers: int, ray: str | None
) -> Iterator[Part]:
    if ray is not None:
        return score_by_ray(load, job, parts, workers, ray)
    return score_locally(load, job, parts, workers)


def _record(job: Job, part: Part, identity: str) -> dict[str, Any]:
    record = read_record(job, part, identity)
    if record is None:
        raise InputError(f"{job.record(part)}: a worker has scored part {part.number} with another model than this.")
    return record
