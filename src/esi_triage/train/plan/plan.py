"""`esi plan`: will this experiment fit, and how long is a step? The answer with its arithmetic."""

from dataclasses import asdict
from typing import Any

from ..experiment import Experiment
from .arithmetic import device_table, find_device, memory, step_time, work_of
from .shape import shape_of


def plan(experiment: Experiment, gpus: str) -> dict[str, Any]:
    """Memory (GB a device), time (s a step, h in all), whether it fits, and what was assumed, as plain values."""
    device, assumed = find_device(gpus), device_table()["assumptions"]
    work = work_of(experiment, device, assumed["prompt_tokens"])
    length = work.prompt + work.answer
    shape = shape_of(experiment.base, experiment.lora, work.micro_batch, length, gpu=device.name != "cpu")
    needed, time = memory(shape, experiment, work), step_time(shape, experiment, work, device)
    return {
        "experiment": experiment.name,
        "base": experiment.base,
        "profile": experiment.profile,
        "device": device._asdict(),
        "per_device": work._asdict() | {"tokens": work.tokens},
        "model": asdict(shape),
        "memory_gb": needed,
        "fits": needed["peak"] <= 0.9 * device.memory_gb,
        "step_seconds": time,
        "hours": time["step"] * experiment.trainer.max_steps / 3600,
        "assumptions": assumed | {"fits": "peak within 90 % of the device's memory", "answers": "of full length"},
    }
