"""Parts scored by Ray actors: on this machine, or on a cluster whose machines share the disk. Needs the extra `ray`."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...errors import InputError
from ..model import Model
from .cut import Part
from .local_workers import ATTEMPTS
from .part_files import Job, score_part

LOCAL = "local"


def score_by_ray(
    load: Callable[[], Model], job: Job, parts: Sequence[Part], workers: int, address: str = LOCAL
) -> Iterator[Part]:
    """Score `parts` by `workers` actors, each of which loads the model once; yields a part when it is done.

    `address` of a cluster, or `local` for one that lives as long as this command. Ray restarts an actor that was killed
    and gives it its part again. The source and the output lie where all machines of the cluster see them.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no telemetry
    try:
        import ray  # pyright: ignore[reportMissingImports]
        from ray.exceptions import RayTaskError  # pyright: ignore[reportMissingImports]
        from ray.util import ActorPool  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise InputError("--ray: Ray is not installed. Run: pip install 'esi-triage[ray]', or use --workers.") from None
    where: dict[str, Any] = {"num_cpus": workers} if address == LOCAL else {"address": address}
    ray.init(**where, include_dashboard=False, log_to_driver=False, logging_level="ERROR", configure_logging=True)
    try:
        gpus = min(1.0, ray.cluster_resources().get("GPU", 0) / workers)
        options = {"num_cpus": 1, "num_gpus": gpus, "max_restarts": -1, "max_task_retries": ATTEMPTS}
        actor = ray.remote(**options)(_Worker)
        pool = ActorPool([actor.remote(load, job) for _ in range(workers)])
        yield from pool.map_unordered(lambda worker, part: worker.score.remote(part), parts)
    except RayTaskError as error:
        raise error.cause from None
    finally:
        ray.shutdown()


class _Worker:
    def __init__(self, load: Callable[[], Model], job: Job) -> None:
        self.model, self.job = load(), job

    def score(self, part: Part) -> Part:
        score_part(self.model, self.job, part)
        return part
