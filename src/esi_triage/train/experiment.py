"""An experiment file: everything that decides the science, in TOML; unknown keys are errors.

The file's own tables are what the model card prints for Qwen3.5-9B. A table named after a base (`[tiny]`, `[smollm2]`)
or a profile (`[smoke]`, `[lab]`) holds what changes there, under the same keys; the base's table is laid on first.
"""

import hashlib
import json
import tomllib
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import InputError, first_problem
from ..files import write_text

PROFILES = ("full", "lab", "smoke")
_OVERLAYS = ("tiny", "smollm2", "lab", "smoke")


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataSettings(_Table):
    """Which cases train, and how many are drawn from them."""

    source: str = Field("open", description="'open', or a case table (.parquet, .jsonl) with a train split")
    cases: int = Field(gt=0, description="size of the open corpus; ignored for a case table")
    seed: int = 0
    core: bool = Field(default=False, description="the open corpus' core presentations only")
    oversample: bool = Field(description="draw by the reward design's class factors")
    temperature: float | None = Field(
        default=None, gt=0, description="instead: draw levels in proportion to share^(1/temperature)"
    )
    draws: int = Field(gt=0, description="training rows drawn")
    targets: str | None = Field(
        default=None, description="SFT: answers by case_id (`esi data targets`) in place of our own"
    )


class LoraSettings(_Table):
    """The adapter."""

    r: int = Field(gt=0)
    alpha: int = Field(gt=0)
    dropout: float = Field(ge=0, lt=1)
    targets: tuple[str, ...] = Field(min_length=1)


class TrainerSettings(_Table):
    """Settings that both trainers share, by TRL's names. None has a default: an upgrade cannot change the science."""

    max_steps: int = Field(gt=0)
    learning_rate: float = Field(gt=0)
    lr_scheduler_type: str
    warmup_steps: int = Field(ge=0)
    per_device_train_batch_size: int = Field(gt=0)
    gradient_accumulation_steps: int = Field(gt=0)
    optim: str
    adam_beta1: float
    adam_beta2: float
    weight_decay: float
    max_grad_norm: float
    save_steps: int = Field(gt=0)
    logging_steps: int = Field(gt=0)
    gradient_checkpointing: bool


class SftSettings(TrainerSettings):
    """Supervised fine-tuning (TRL SFTConfig). Loss on the completion only; no packing (see docs/decisions.md)."""

    loss_type: str
    max_length: int = Field(gt=0)


class GrpoSettings(TrainerSettings):
    """Group relative policy optimization (TRL GRPOConfig)."""

    num_generations: int = Field(gt=1)
    max_completion_length: int = Field(gt=0)
    temperature: float = Field(gt=0)
    top_p: float
    top_k: int
    min_p: float = Field(description="0 is off")
    repetition_penalty: float
    beta: float = Field(ge=0, description="weight of the KL to the reference policy")
    num_iterations: int
    epsilon: float
    epsilon_high: float
    loss_type: str
    scale_rewards: str
    importance_sampling_level: str
    mask_truncated_completions: bool
    disable_dropout: bool
    use_vllm: bool


class EvaluateSettings(_Table):
    """How the trained model answers when it is measured. The card: 1024 new tokens, temperature 0.1, sampled."""

    max_new_tokens: int = Field(gt=0)
    temperature: float = Field(gt=0)
    do_sample: bool
    batch_size: int = Field(gt=0)
    seed: int = 0


class Experiment(_Table):
    """A resolved experiment: base and profile laid on."""

    name: str = Field(min_length=1)
    about: str = ""
    method: Literal["sft", "grpo"]
    parent: str | None = Field(None, description="experiment whose adapter is the warm start")
    prompt: str = "seed"
    reward: str | None = Field(None, description="reward design (grpo)")
    seed: int
    base: str
    profile: Literal["full", "lab", "smoke"]
    data: DataSettings
    lora: LoraSettings
    trainer: SftSettings | GrpoSettings
    evaluate: EvaluateSettings

    @property
    def sha256(self) -> str:
        """The hash of everything in the resolved experiment."""
        return hashlib.sha256(json.dumps(self.model_dump(), sort_keys=True).encode()).hexdigest()

    def save(self, file: Path) -> None:
        """Write the resolved experiment as TOML, its hash in the first line."""
        values = self.model_dump(exclude_none=True)
        values["lora"]["targets"] = list(values["lora"]["targets"])
        write_text(file, f"# resolved experiment, sha256 {self.sha256}\n{tomli_w.dumps(values)}")


def _folder() -> Traversable:
    return resources.files("esi_triage") / "experiments"


def experiment_names() -> list[str]:
    """The experiments that ship with the package."""
    return sorted(f.name.removesuffix(".toml") for f in _folder().iterdir() if f.name.endswith(".toml"))


def load_experiment(
    name_or_file: str, base: str = "tiny", profile: str = "full", source: str | None = None
) -> Experiment:
    """A shipped experiment or a TOML file, resolved for `base` and `profile`. Raises InputError: file, key, value.

    `source` takes the place of the file's `data.source`.
    """
    if profile not in PROFILES:
        raise InputError(f"profile = {profile!r}: known profiles are {', '.join(PROFILES)}.")
    values = _read(name_or_file)
    overlays = {name: values.pop(name, {}) for name in _OVERLAYS}
    for name, overlay in overlays.items():  # every overlay is checked, not only the ones used now
        _validated(_laid_on(values, overlay), f"{name_or_file}, with [{name}] laid on", base, profile)
    resolved = _laid_on(_laid_on(values, overlays.get(base, {})), overlays.get(profile, {}))
    if source is not None:
        resolved = _laid_on(resolved, {"data": {"source": source}})
    return _validated(resolved, name_or_file, base, profile)


def _read(name_or_file: str) -> dict[str, Any]:
    file: Traversable | Path = _folder() / f"{name_or_file}.toml"
    if name_or_file not in experiment_names():
        file = Path(name_or_file)
        if not file.is_file():
            known = ", ".join(experiment_names())
            raise InputError(f"experiment {name_or_file!r}: no such experiment or file. Shipped experiments: {known}.")
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{name_or_file}: not a TOML file: {error}.") from None


def _laid_on(values: dict[str, Any], overlay: dict[str, Any]) -> dict[str, Any]:
    merged = dict(values)
    for key, value in overlay.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _laid_on(merged[key], value) if both else value
    return merged


def _validated(values: dict[str, Any], where: str, base: str, profile: str) -> Experiment:
    method = values.get("method")
    if method not in ("sft", "grpo"):
        raise InputError(f"{where}: method = {method!r}; it must be 'sft' or 'grpo'.")
    if method == "grpo" and not (values.get("reward") and values.get("parent")):
        raise InputError(f"{where}: a grpo experiment names its reward design and its parent (warm start).")
    settings = SftSettings if method == "sft" else GrpoSettings
    if "base" in values or "profile" in values:
        raise InputError(
            f"{where}: base and profile are given on the command line (--base, --profile), not in the file."
        )
    try:
        trainer = settings.model_validate(values.get("trainer", {}))
    except ValidationError as error:
        keys = ", ".join(settings.model_fields)
        raise InputError(f"{where}: in [trainer]: {first_problem(error)}. Known keys: {keys}.") from None
    try:
        return Experiment.model_validate({**values, "trainer": trainer, "base": base, "profile": profile})
    except ValidationError as error:
        raise InputError(
            f"{where}: {first_problem(error)}. Known keys: {', '.join(Experiment.model_fields)}."
        ) from None
