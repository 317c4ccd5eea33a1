"""An experiment file: everything that decides the science, in TOML; unknown keys are errors.

The file's own tables are what the model card prints for Qwen3.5-9B. A table named after a base (`[tiny]`, `[smollm2]`)
or a profile (`[smoke]`, `[lab]`, `[gpu80]`, `[gpu128]`) holds what changes there, under the same keys; the base's table
is merged first.
"""

import hashlib
import json
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, get_args

import tomli_w
from pydantic import BaseModel, Field

from ..answer import current_name, load_prompt
from ..atomic_files import sha256_of, write_text
from ..errors import InputError, validated
from ..reading import read_toml
from .bases import BASES

Profile = Literal["full", "lab", "smoke", "gpu80", "gpu128"]
PROFILES: tuple[str, ...] = get_args(Profile)
_OVERLAYS = (*BASES, *PROFILES)


class StrictTable(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Unknown keys, NaN and infinity are errors."""


class DataSettings(StrictTable, frozen=True):
    """Which cases train, and how many are drawn from them."""

    source: str = Field("open", description="'open', or a case table (.parquet, .jsonl) with a train split")
    cases: int = Field(gt=0, description="size of the open corpus; ignored for a case table")
    seed: int = 0
    core: bool = Field(default=False, description="the open corpus' core presentations only")
    answered: bool = Field(
        default=False, description="of a case table with cases that were written with an answer, only these"
    )
    oversample: bool = Field(description="draw by the reward design's class factors")
    temperature: float | None = Field(
        default=None, gt=0, description="instead: draw levels in proportion to share^(1/temperature)"
    )
    draws: int = Field(gt=0, description="training rows drawn")
    targets: str | None = Field(
        default=None, description="SFT: answers by case_id (`esi data targets`) in place of our own"
    )


class LoraSettings(StrictTable, frozen=True):
    """The adapter."""

    r: int = Field(gt=0)
    alpha: int = Field(gt=0)
    dropout: float = Field(ge=0, lt=1)
    targets: tuple[str, ...] = Field(min_length=1)


class TrainerSettings(StrictTable, frozen=True):
    """Settings that both trainers share, by TRL's names; none that decides the science has a default."""

    max_steps: int = Field(gt=0)
    learning_rate: float = Field(gt=0)
    lr_scheduler_type: Literal["linear", "cosine", "constant", "constant_with_warmup"]
    warmup_steps: int = Field(ge=0)
    per_device_train_batch_size: int = Field(gt=0)
    gradient_accumulation_steps: int = Field(gt=0)
    optim: Literal["adamw_torch", "adamw_torch_fused", "adamw_8bit"]
    adam_beta1: float = Field(ge=0, lt=1)
    adam_beta2: float = Field(ge=0, lt=1)
    weight_decay: float = Field(ge=0)
    max_grad_norm: float = Field(gt=0)
    save_steps: int = Field(gt=0)
    logging_steps: int = Field(gt=0)
    gradient_checkpointing: bool
    bf16: bool = Field(False, description="in bfloat16 on a processor that multiplies it, too; a GPU always is")


class SftSettings(TrainerSettings, frozen=True):
    """Supervised fine-tuning (TRL SFTConfig). Loss on the completion only; no packing (see docs/decisions.md)."""

    loss_type: Literal["nll", "chunked_nll", "dft"]
    max_length: int = Field(gt=0)


class GrpoSettings(TrainerSettings, frozen=True):
    """Group relative policy optimization (TRL GRPOConfig)."""

    num_generations: int = Field(gt=1)
    max_completion_length: int = Field(gt=0)
    temperature: float = Field(gt=0)
    top_p: float = Field(gt=0, le=1)
    top_k: int = Field(ge=0, description="0 is off")
    min_p: float = Field(ge=0, le=1, description="0 is off")
    repetition_penalty: float = Field(gt=0)
    beta: float = Field(ge=0, description="weight of the KL to the reference policy")
    num_iterations: int = Field(gt=0)
    epsilon: float = Field(gt=0)
    epsilon_high: float = Field(gt=0)
    loss_type: Literal["grpo", "bnpo", "dr_grpo", "dapo", "cispo", "sapo", "luspo", "vespo"]
    scale_rewards: Literal["group", "batch", "none"]
    importance_sampling_level: Literal["token", "sequence"]
    mask_truncated_completions: bool
    disable_dropout: bool
    use_vllm: bool
    # How the same samples are made; none of these changes what is learned, so they have defaults.
    rollout: Literal["trl", "shared"] = Field(
        "trl", description="trl: generate() as TRL calls it; shared: one prefill a group, ended rows dropped"
    )
    steps_per_generation: int | None = Field(None, gt=0, description="micro-batches a generation; none: accumulation")
    vllm_mode: Literal["colocate", "server"] = "colocate"
    vllm_max_model_length: int | None = Field(None, gt=0, description="tokens; none: the model's whole context")
    vllm_gpu_memory_utilization: float = Field(0.3, gt=0, lt=1)
    pad_to_multiple_of: int | Literal["auto"] = Field("auto", description="tokens; TRL's auto")

    @property
    def block(self) -> int:
        """Micro-batches that are learned from one generation."""
        return (self.steps_per_generation or self.gradient_accumulation_steps) * self.num_iterations


class EvaluateSettings(StrictTable, frozen=True):
    """How the trained model answers when it is measured. The card: 1024 new tokens, temperature 0.1, sampled."""

    max_new_tokens: int = Field(gt=0)
    temperature: float = Field(gt=0)
    do_sample: bool
    batch_size: int = Field(gt=0)
    seed: int = 0
    bf16: bool = Field(False, description="in bfloat16 on a processor that multiplies it, too; a GPU always is")


class Experiment(StrictTable, frozen=True):
    """A resolved experiment: the tables of base and profile merged in."""

    name: str = Field(min_length=1)
    about: str = ""
    method: Literal["sft", "grpo"]
    parent: str | None = Field(None, description="experiment whose adapter is the warm start")
    prompt: str = "model-card"
    reward: str | None = Field(None, description="reward design (grpo)")
    seed: int
    base: str
    profile: Profile
    data: DataSettings
    lora: LoraSettings
    trainer: SftSettings | GrpoSettings
    evaluate: EvaluateSettings

    @property
    def sha256(self) -> str:
        """The hash of everything in the resolved experiment."""
        return hashlib.sha256(json.dumps(self.model_dump(), sort_keys=True).encode()).hexdigest()

    @property
    def data_sha256(self) -> dict[str, str]:
        """The hash of each file that it trains on, its own reward design among them; one that is not there has none."""
        from ..reward import design_names

        design = self.reward if self.reward not in design_names() else None
        named = (self.data.source if self.data.source != "open" else None, self.data.targets, design)
        return {name: sha256_of(Path(name)) for name in named if name and Path(name).is_file()}

    def save(self, file: Path, parent_sha256: str | None = None) -> None:
        """Write the resolved experiment as TOML; first lines: its hash, its data's, and its parent's adapter's."""
        values = self.model_dump(exclude_none=True)
        values["lora"]["targets"] = list(values["lora"]["targets"])
        data = "".join(f"# trained on {name}, sha256 {sha256}\n" for name, sha256 in self.data_sha256.items())
        warm = f"# trained from the adapter of {self.parent}, sha256 {parent_sha256}\n" if parent_sha256 else ""
        write_text(file, f"# resolved experiment, sha256 {self.sha256}\n{data}{warm}{tomli_w.dumps(values)}")


class SftExperiment(Experiment, frozen=True):
    """Supervised fine-tuning with a new adapter."""

    method: Literal["sft"]
    trainer: SftSettings


class GrpoExperiment(Experiment, frozen=True):
    """GRPO with a reward design, from its parent's adapter."""

    method: Literal["grpo"]
    parent: str = Field(min_length=1, description="experiment whose adapter is the warm start")
    reward: str = Field(min_length=1, description="reward design")
    trainer: GrpoSettings


_METHODS: dict[str, type[Experiment]] = {"sft": SftExperiment, "grpo": GrpoExperiment}


def _folder() -> Traversable:
    return resources.files("esi_triage") / "experiments"


def experiment_names() -> list[str]:
    """The experiments of a language model that ship with the package (`reader` has a schema of its own)."""
    names = sorted(f.name.removesuffix(".toml") for f in _folder().iterdir() if f.name.endswith(".toml"))
    return [name for name in names if name != "reader"]


def load_experiment(
    name_or_file: str, base: str = "tiny", profile: str = "full", source: str | None = None
) -> Experiment:
    """A shipped experiment or a TOML file, resolved for `base` and `profile`. Raises InputError: file, key, value.

    `source` takes the place of the file's `data.source`.
    """
    check_profile(profile)
    values = _read(name_or_file)
    overlays = {name: values.pop(name) for name in _OVERLAYS if name in values}
    if wrong := [name for name, overlay in overlays.items() if not isinstance(overlay, dict)]:
        raise InputError(f"{name_or_file}: {wrong[0]} = {overlays[wrong[0]]!r}: it must be a table, [{wrong[0]}].")
    for name, overlay in overlays.items():  # every overlay is checked, not only the ones used now
        _experiment(_merged(values, overlay), f"{name_or_file}, with [{name}] merged in", base, profile)
    resolved = _merged(_merged(values, overlays.get(base, {})), overlays.get(profile, {}))
    if source is not None:
        resolved = _merged(resolved, {"data": {"source": source}})
    return _experiment(resolved, name_or_file, base, profile)


def check_profile(profile: str) -> None:
    """Raises InputError for a profile that there is not."""
    if profile not in PROFILES:
        raise InputError(f"profile = {profile!r}: known profiles are {', '.join(PROFILES)}.")


def _read(name_or_file: str) -> dict[str, Any]:
    file: Traversable | Path = _folder() / f"{name_or_file}.toml"
    if name_or_file not in experiment_names():
        file = Path(name_or_file)
        if not file.is_file():
            known = ", ".join(experiment_names())
            raise InputError(f"experiment {name_or_file!r}: no such experiment or file. Shipped experiments: {known}.")
    values = read_toml(file)
    if isinstance(values.get("prompt"), str):
        values["prompt"] = current_name(values["prompt"], name_or_file)
    return values


def _merged(values: dict[str, Any], overlay: dict[str, Any]) -> dict[str, Any]:
    merged = dict(values)
    for key, value in overlay.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


def _experiment(values: dict[str, Any], where: str, base: str, profile: str) -> Experiment:
    kind = _METHODS.get(str(values.get("method")))
    if kind is None:
        raise InputError(f"{where}: method = {values.get('method')!r}; it must be {' or '.join(_METHODS)}.")
    if "base" in values or "profile" in values:
        raise InputError(
            f"{where}: base and profile are given on the command line (--base, --profile), not in the file."
        )
    for name, field in kind.model_fields.items():  # table by table, so that the known keys are those of the table
        if isinstance(field.annotation, type) and issubclass(field.annotation, StrictTable) and name in values:
            validated(field.annotation, values[name], f"{where}: in [{name}]")
    found = validated(kind, {**values, "base": base, "profile": profile}, where)
    try:
        load_prompt(found.prompt)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    if isinstance(found, GrpoExperiment):
        _check_generation(found.trainer, where)
    return found


def _check_generation(settings: GrpoSettings, where: str) -> None:
    micro_batches = settings.save_steps * settings.gradient_accumulation_steps
    if micro_batches % settings.block:  # what is generated is in no checkpoint: within a block a resumed run parts ways
        raise InputError(
            f"{where}: in [trainer]: save_steps = {settings.save_steps}: a checkpoint must stand at the end of a "
            f"generation, so save_steps x gradient_accumulation_steps ({micro_batches}) must be a multiple of "
            f"steps_per_generation x num_iterations ({settings.block})."
        )
    rows = settings.per_device_train_batch_size * (
        settings.steps_per_generation or settings.gradient_accumulation_steps
    )
    if rows % settings.num_generations:  # processes share these rows, so the number is the same for any number of them
        raise InputError(
            f"{where}: in [trainer]: num_generations = {settings.num_generations}: the rows of a generation, "
            f"per_device_train_batch_size x (steps_per_generation or gradient_accumulation_steps) ({rows}), must be a "
            "multiple of it."
        )
    if settings.vllm_max_model_length and settings.vllm_max_model_length <= settings.max_completion_length:
        raise InputError(
            f"{where}: in [trainer]: vllm_max_model_length = {settings.vllm_max_model_length}: it must hold a prompt "
            f"and the {settings.max_completion_length} tokens of max_completion_length."
        )
    if settings.rollout == "shared" and (settings.use_vllm or settings.repetition_penalty != 1):
        raise InputError(
            f"{where}: in [trainer]: rollout = 'shared' goes neither with use_vllm nor with a repetition_penalty; "
            f"set rollout = 'trl'."
        )
