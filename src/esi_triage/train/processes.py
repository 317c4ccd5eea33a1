"""Several processes of one training (torchrun, accelerate launch): who writes, on which device, how work is shared.

The experiment says how many completions a step learns from; processes share them, so that the run is the same
experiment on one GPU and on eight.
"""

import os
from typing import Any

from ..errors import InputError


def processes() -> int:
    """How many there are."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main() -> bool:
    """Whether this one writes the run folder."""
    return os.environ.get("RANK", "0") == "0"


def local_device() -> int:
    """The GPU of this process on its machine."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def one_process(what: str) -> None:
    """Raises InputError where there are several."""
    if processes() > 1:
        raise InputError(f"{processes()} processes (WORLD_SIZE): {what} runs in one. Start it without torchrun.")


def shared_out(settings: dict[str, Any], where: str) -> dict[str, Any]:
    """Trainer settings of one process: its share of the accumulation, else of the micro-batch. Raises InputError."""
    n, generation = processes(), settings.get("steps_per_generation") or 0
    for key in ("gradient_accumulation_steps", "per_device_train_batch_size"):
        if settings[key] % n == 0 and not (key.startswith("gradient") and generation % n):
            share = settings | {key: settings[key] // n}
            return share | ({"steps_per_generation": generation // n} if generation and key.startswith("grad") else {})
    raise InputError(
        f"{where}: {n} processes cannot share gradient_accumulation_steps = {settings['gradient_accumulation_steps']} "
        f"or per_device_train_batch_size = {settings['per_device_train_batch_size']} evenly; start a number that can."
    )


def same_everywhere(mine: str, what: str) -> list[str]:
    """What each process has, in the order of their ranks. Raises RuntimeError where they differ."""
    if processes() == 1:
        return [mine]
    from accelerate.utils import gather_object

    found = list(gather_object([mine]))
    if len(found) != processes() or len(set(found)) != 1:
        raise RuntimeError(f"{what} differs between the {processes()} processes: {found}")
    return found


def part_ways() -> None:
    """End the processes' connection, when all is done."""
    import torch.distributed as distributed

    if processes() > 1 and distributed.is_initialized():
        distributed.barrier()
        distributed.destroy_process_group()
