"""Parts scored by processes on this machine. A process that is killed is replaced, and its part is done again."""

import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.pool import ThreadPool
from multiprocessing.process import BaseProcess
from typing import Any

from ...errors import InputError
from ..model import Model
from .cut import Part
from .part_files import Job, score_part

ATTEMPTS = 5  # a part that ends so many workers in a row is at fault itself, e.g. by the memory that it needs


def score_locally(load: Callable[[], Model], job: Job, parts: Sequence[Part], workers: int) -> Iterator[Part]:
    """Score `parts` in `workers` processes, each of which loads the model once; yields a part when it is done.

    One worker is this process itself.

    Raises InputError where a part has ended `ATTEMPTS` workers one after the other, and what a worker has raised.
    """
    if workers == 1:
        model = load()
        for part in parts:
            score_part(model, job, part)
            yield part
        return
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))
    mine = threading.local()  # a thread looks after one process

    def done(part: Part) -> Part:
        for _ in range(ATTEMPTS):
            mine.worker = getattr(mine, "worker", None) or _started(load, job)
            if _asked(mine.worker[1], part):
                return part
            mine.worker = None
        raise InputError(
            f"{job.source}: part {part.number} (rows {part.first} to {part.first + part.rows - 1}) ended {ATTEMPTS} "
            f"workers one after the other, perhaps for lack of memory; give more --parts or fewer --workers."
        )

    with ThreadPool(workers) as pool:
        yield from pool.imap_unordered(done, parts)


def _asked(worker: Connection, part: Part) -> bool:
    """Whether the worker has scored the part; False where the process is gone."""
    try:
        worker.send(part)
        error = worker.recv()
    except (EOFError, OSError):
        return False
    if error is not None:
        raise error
    return True


def _started(load: Callable[[], Model], job: Job) -> tuple[BaseProcess, Any]:
    context = get_context("spawn")  # a fork would copy the threads' locks and a GPU's state
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(load, job, there), daemon=True)
    process.start()
    there.close()  # else a killed process would leave this end waiting
    return process, here


def _work(load: Callable[[], Model], job: Job, parent: Connection) -> None:
    """Score what comes, until the parent is gone or has no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is asked, and says
    model: Model | None = None
    while True:
        try:
            part = parent.recv()
        except (EOFError, OSError):
            return
        try:
            model = model or load()
            score_part(model, job, part)
            parent.send(None)
        except InputError as error:
            parent.send(error)
        except Exception:
            parent.send(RuntimeError(f"part {part.number}: {traceback.format_exc()}"))
