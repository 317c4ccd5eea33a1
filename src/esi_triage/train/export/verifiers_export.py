"""`esi export verifiers`: the experiment as a taskset of verifiers 0.4 (v1), which prime-rl trains on and evaluates."""

from pathlib import Path
from typing import Any

import tomli_w

from ...atomic_files import write_text
from ...esi import Case
from ..bases import hub_of
from ..experiment import Experiment, GrpoSettings
from .engine_folder import export_folder

_TASKSET = '''"""ESI triage as a verifiers taskset: narratives, and the reward of the design beside this file."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import verifiers.v1 as vf
from esi_triage.reward.engine_reward import engine_reward

HERE = Path(__file__).parent


class EsiData(vf.TaskData):
    """A narrative with its level."""

    gold: int


class EsiTask(vf.Task[EsiData]):
    """Scored by esi_triage's one parser and one scorer."""

    @vf.reward(weight=1.0)
    async def reward(self, trace: vf.Trace) -> float:
        return engine_reward(trace.last_reply, self.data.gold, HERE)


class EsiConfig(vf.TasksetConfig):
    """Nothing to set: the export says it all."""


class EsiTaskset(vf.Taskset[EsiTask, EsiConfig]):
    """The cases that the experiment draws, in their order."""

    def load(self) -> Iterator[EsiTask]:
        for row in pq.read_table(HERE / "train.parquet").to_pylist():
            yield EsiTask(EsiData(**row))


__all__ = ["EsiTaskset"]
'''


def export_verifiers(experiment: Experiment, parent: Path, output: Path) -> None:
    """Write the taskset `esi_taskset`, a Python package in `output`, and a prime-rl configuration beside it."""
    package = output / "esi_taskset"
    export_folder(experiment, parent, package, _row)
    write_text(package / "__init__.py", _TASKSET)
    write_text(
        output / "prime-rl.toml", f"{_left_out(experiment)}{tomli_w.dumps(_config(experiment, package.absolute()))}"
    )


# What the configuration says, and what is about esi train's own machinery.
_SAID = {"max_steps", "learning_rate", "num_generations", "max_completion_length", "temperature", "bf16", "rollout",
         "per_device_train_batch_size", "gradient_accumulation_steps", "save_steps", "logging_steps",
         "gradient_checkpointing", "use_vllm", "vllm_mode", "vllm_max_model_length", "vllm_gpu_memory_utilization",
         "pad_to_multiple_of", "steps_per_generation"}  # fmt: skip


def _left_out(experiment: Experiment) -> str:
    """The settings that decide what is learned and that prime-rl's configuration below does not say, as comments."""
    settings = experiment.trainer.model_dump(exclude=_SAID)
    lines = [f"#   {name} = {value!r}" for name, value in settings.items()]
    return "\n".join(
        ["# of the experiment, and not said below: prime-rl's own defaults hold unless you set them", *lines, "", ""]
    )


def _row(place: int, case: Case, chat: Any) -> dict[str, Any]:
    system, user = (turn["content"] for turn in chat)
    return {"id": f"{place}-{case.case_id}", "system_prompt": system, "prompt": user, "gold": case.gold}


def _config(experiment: Experiment, package: Path) -> dict[str, Any]:
    settings = experiment.trainer
    assert isinstance(settings, GrpoSettings)
    rows = settings.per_device_train_batch_size * settings.gradient_accumulation_steps
    lora = {"rank": experiment.lora.r, "alpha": experiment.lora.alpha, "target_modules": list(experiment.lora.targets)}
    return {
        "max_steps": settings.max_steps,
        "model": {"name": hub_of(experiment.base) or experiment.base},
        "trainer": {
            "model": {"lora": lora, "adapter": str(package / "adapter")},
            "optim": {"lr": settings.learning_rate},
        },
        "orchestrator": {
            "batch_size": rows,
            "rollouts_per_example": settings.num_generations,
            "sampling": {"max_tokens": settings.max_completion_length, "temperature": settings.temperature},
            "train": {"source": {"env": {"taskset": {"id": "esi_taskset"}}}},
        },
    }
