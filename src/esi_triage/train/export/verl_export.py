"""`esi export verl`: prompts, reward and configuration for verl 0.9, from the adapter of the warm start."""

import json
from pathlib import Path
from typing import Any

from ...atomic_files import write_text
from ...errors import InputError
from ...esi import Case
from ..bases import hub_of
from ..experiment import Experiment, GrpoSettings
from .engine_folder import export_folder

_LOSS = {"dapo": "token-mean", "grpo": "seq-mean-token-mean"}
# The values that verl's configuration can say, of settings that decide the science.
_SAID: dict[str, tuple[Any, ...]] = {
    "loss_type": tuple(_LOSS),
    "importance_sampling_level": ("token",),
    "scale_rewards": ("group", "none"),
    "min_p": (0,),
    "repetition_penalty": (1,),
    "lr_scheduler_type": ("cosine", "constant", "constant_with_warmup"),
    "mask_truncated_completions": (False,),
    "disable_dropout": (False,),
    "steps_per_generation": (None,),
}

_REWARD = '''"""verl's reward function: the answer is parsed and scored by esi_triage, as in every other engine."""

from pathlib import Path

from esi_triage.reward.engine_reward import engine_reward

HERE = Path(__file__).parent


def compute_score(data_source, solution_str, ground_truth, extra_info=None, **_):
    return engine_reward(solution_str, ground_truth, HERE)
'''


def export_verl(experiment: Experiment, parent: Path, output: Path) -> None:
    """Write all that verl needs into `output`; `esi_triage` must be installed where verl's workers run.

    Raises InputError as `export_folder` does, and for a setting that verl's configuration cannot say.
    """
    _check(experiment)
    export_folder(experiment, parent, output, _row)
    write_text(output / "reward.py", _REWARD)
    told = "# from `esi export verl`; keys that stand here as in verl/trainer/config/ppo_trainer.yaml (0.9)\n"
    write_text(output / "config.yaml", told + json.dumps(verl_config(experiment, output.absolute()), indent=2) + "\n")
    write_text(output / "start.sh", _start(output.absolute()))


def _check(experiment: Experiment) -> None:
    settings = experiment.trainer
    for name, values in _SAID.items() if isinstance(settings, GrpoSettings) else ():  # SFT is refused anyway
        value = getattr(settings, name)
        if value not in values:
            said = " or ".join("not set" if known is None else repr(known) for known in values)
            raise InputError(
                f"experiment {experiment.name}: trainer.{name} = {value!r}: verl's configuration says {said} only. "
                f"Train it with `esi train`, or set {name} in a copy of the file."
            )


def _row(place: int, case: Case, chat: Any) -> dict[str, Any]:
    return {
        "data_source": "esi",
        "prompt": chat,
        "reward_model": {"style": "rule", "ground_truth": str(case.gold)},
        "extra_info": {"index": place, "case_id": case.case_id, "licence": case.licence},
    }


def verl_config(experiment: Experiment, folder: Path) -> dict[str, Any]:
    """The experiment in verl's words (YAML reads JSON). vLLM rollouts, adapter-only sync."""
    settings = experiment.trainer
    assert isinstance(settings, GrpoSettings)
    rows = settings.per_device_train_batch_size * settings.gradient_accumulation_steps
    prompts = max(1, rows // settings.num_generations)
    return {
        "hydra": {"searchpath": ["pkg://verl.trainer.config"]},
        "defaults": ["ppo_trainer", "_self_"],
        "algorithm": {
            "adv_estimator": "grpo",
            "norm_adv_by_std_in_grpo": settings.scale_rewards != "none",
            "use_kl_in_reward": False,
        },
        "data": {
            "train_files": str(folder / "train.parquet"),
            "val_files": str(folder / "train.parquet"),
            "train_batch_size": prompts,
            "max_prompt_length": 1024,
            "max_response_length": settings.max_completion_length,
            "apply_chat_template_kwargs": {"enable_thinking": False},
            "seed": experiment.seed,
        },
        "reward": {"custom_reward_function": {"path": str(folder / "reward.py"), "name": "compute_score"}},
        "actor_rollout_ref": {
            "model": _model(experiment, folder),
            "actor": _actor(settings, prompts),
            "rollout": {
                "name": "vllm",
                "n": settings.num_generations,
                "temperature": settings.temperature,
                "top_p": settings.top_p,
                "top_k": settings.top_k or -1,
                "load_format": "safetensors",
                "tensor_model_parallel_size": 1,
                "gpu_memory_utilization": settings.vllm_gpu_memory_utilization,
                "log_prob_micro_batch_size_per_gpu": 8,
            },
        },
        "trainer": {
            "total_training_steps": settings.max_steps,
            "save_freq": settings.save_steps,
            "project_name": "esi-triage",
            "experiment_name": experiment.name,
            "logger": ["console"],
            "val_before_train": False,
        },
    }


def _model(experiment: Experiment, folder: Path) -> dict[str, Any]:
    return {
        "path": hub_of(experiment.base) or experiment.base,
        "lora_rank": experiment.lora.r,
        "lora_alpha": experiment.lora.alpha,
        "target_modules": list(experiment.lora.targets),
        "lora_adapter_path": str(folder / "adapter"),
        "lora": {"merge": False},
        "use_remove_padding": False,  # packed rows leak through gated DeltaNet's state
        "enable_gradient_checkpointing": experiment.trainer.gradient_checkpointing,
    }


def _actor(settings: GrpoSettings, prompts: int) -> dict[str, Any]:
    return {
        "ppo_mini_batch_size": prompts,
        "ppo_micro_batch_size_per_gpu": settings.per_device_train_batch_size,
        "ppo_epochs": settings.num_iterations,
        "clip_ratio_low": settings.epsilon,
        "clip_ratio_high": settings.epsilon_high,
        "loss_agg_mode": _LOSS[settings.loss_type],
        "use_kl_loss": settings.beta > 0,
        "kl_loss_coef": settings.beta,
        "grad_clip": settings.max_grad_norm,
        "optim": {
            "lr": settings.learning_rate,
            "betas": [settings.adam_beta1, settings.adam_beta2],
            "weight_decay": settings.weight_decay,
            "lr_warmup_steps": 0 if settings.lr_scheduler_type == "constant" else settings.warmup_steps,
            "lr_scheduler_type": "cosine" if settings.lr_scheduler_type == "cosine" else "constant",
        },
    }


def _start(folder: Path) -> str:
    return f"""#!/bin/sh
# One node of 8 GPUs; more: trainer.nnodes=N, on a Ray cluster that `ray start` has made of the nodes.
exec python -m verl.trainer.main_ppo --config-path {folder} --config-name config \\
    trainer.nnodes=1 trainer.n_gpus_per_node=8 "$@"
"""
