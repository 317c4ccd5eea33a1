"""Memory and time of one step, from a model's shape, a device and an experiment. No model is loaded, nothing is run."""

import re
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any, NamedTuple

from ...errors import InputError
from ..experiment import Experiment, GrpoSettings, SftSettings
from .shape import Shape


class Device(NamedTuple):
    """A device of `devices.toml`, and how many there are."""

    name: str
    count: int  # pyright: ignore[reportIncompatibleMethodOverride]
    memory_gb: float
    bandwidth_gb_s: float
    bf16_tflop_s: float


class Work(NamedTuple):
    """What one device does in a step: rows that it learns, rows at once, tokens of a prompt and of an answer."""

    rows: int
    micro_batch: int
    prompt: int
    answer: int

    @property
    def tokens(self) -> int:
        """Tokens that are learned in a step."""
        return self.rows * (self.prompt + self.answer)


def device_table() -> dict[str, Any]:
    """`devices.toml`."""
    text = resources.files("esi_triage.train.plan").joinpath("devices.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def find_device(spec: str) -> Device:
    """`8xH100`, `H100` or `cpu`. Raises InputError for one that the table does not have."""
    table = device_table()
    known = [name for name in table if name != "assumptions"]
    found = re.fullmatch(r"(?:(\d+)x)?(\w+)", spec.strip().lower())
    if found is None or found[2] not in known or (found[1] and int(found[1]) == 0):
        raise InputError(f"--gpus {spec!r}: give NxNAME, e.g. 1xH100; names are {', '.join(known)}.")
    return Device(found[2], int(found[1] or 1), **table[found[2]])


def work_of(experiment: Experiment, device: Device, prompt: int) -> Work:
    """What one of the devices does; they share a step's rows as processes of a training do. Raises InputError."""
    settings = experiment.trainer
    rows = settings.per_device_train_batch_size * settings.gradient_accumulation_steps
    if rows % device.count:
        raise InputError(f"--gpus {device.count}x{device.name}: they cannot share the {rows} rows of a step evenly.")
    if isinstance(settings, SftSettings):
        prompt, answer = min(prompt, settings.max_length), max(0, settings.max_length - prompt)
    else:
        answer = settings.max_completion_length
    share = rows // device.count
    return Work(share, min(settings.per_device_train_batch_size, share), prompt, answer)


def memory(shape: Shape, experiment: Experiment, work: Work) -> dict[str, float]:
    """Gigabytes (10^9 bytes) on one device, item by item; `peak` is their sum.

    Items that are never there together (states while generating, activations while learning) enter by the larger.
    """
    settings, bytes_ = experiment.trainer, shape.value_bytes
    grpo = isinstance(settings, GrpoSettings)
    vllm = grpo and settings.use_vllm and settings.vllm_mode == "colocate"
    length = work.prompt + work.answer
    saved = shape.saved_bytes * work.micro_batch * length / shape.tokens
    if settings.gradient_checkpointing:  # each layer's input, and one layer's activations at a time
        saved = shape.layers * shape.hidden * bytes_ * work.micro_batch * length + saved / shape.layers
    items = {
        "weights": shape.parameters * bytes_,
        "weights_vllm": shape.parameters * bytes_ * vllm,
        "adapter": shape.adapter * 4,
        "gradients": shape.adapter * 4,
        "optimizer": shape.adapter * (2 if settings.optim == "adamw_8bit" else 8),
    }
    learning = {"activations": saved, "logits": _head(shape, work)}
    generating = {
        "kv_cache": work.rows * length * shape.kv_per_token * bytes_ * grpo,
        "recurrent_state": work.rows * shape.state_per_row * 4 * grpo,
    }
    both = (_total(learning), _total(generating))
    peak = _total(items) + (sum(both) if vllm else max(both))  # vLLM keeps its caches while we learn
    return {name: value / 1e9 for name, value in (items | learning | generating | {"peak": peak}).items()}


def _head(shape: Shape, work: Work) -> float:
    """Bytes that TRL's fused head holds for a moment: one buffer of tokens x columns, however small the vocabulary.

    Where Triton is missing (a processor), it works on float32 copies of what the buffer holds.
    """
    assumed = device_table()["assumptions"]
    rows = min(assumed["head_tokens"], work.micro_batch * (work.prompt + work.answer))
    copies = assumed["head_copies_without_triton"] if shape.value_bytes == 4 else 0
    columns = assumed["head_columns"]
    return rows * (columns * shape.value_bytes + copies * 4 * min(columns, shape.vocabulary))


def step_time(shape: Shape, experiment: Experiment, work: Work, device: Device) -> dict[str, float]:
    """Seconds of one step on one device, item by item; a frozen base's backward pass costs as much as its forward."""
    settings, assumed = experiment.trainer, device_table()["assumptions"]
    speed = device.bf16_tflop_s * 1e12 * assumed["speed_share"]
    used = shape.parameters - shape.input_embedding
    vllm = isinstance(settings, GrpoSettings) and settings.use_vllm
    passes = 2 + settings.gradient_checkpointing + vllm  # forward, backward, again, and log-probs of what vLLM wrote
    found: dict[str, float] = {"learning": 2 * passes * used * work.tokens / speed}
    if device.name != "cpu":
        found["micro_batches"] = assumed["micro_batch_seconds"] * work.rows / work.micro_batch
    if isinstance(settings, GrpoSettings):
        bandwidth = device.bandwidth_gb_s * 1e9 * assumed["bandwidth_share"]
        read = used * shape.value_bytes + 2 * work.rows * shape.state_per_row * 4
        launches = shape.layers * assumed["launches_per_layer"] * assumed["launch_seconds"]
        found["generation"] = work.answer * max(read / bandwidth, 0 if vllm else launches)
        found["weight_sync"] = assumed["weight_sync_seconds"] * vllm
    return found | {"step": sum(found.values())}


def _total(items: Mapping[str, float]) -> float:
    return sum(items.values())
