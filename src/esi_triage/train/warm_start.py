"""The parent's adapter, loaded so that training goes on with it; and the finished one, saved whole or not at all."""

import json
import shutil
from pathlib import Path
from typing import Any

from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ..errors import InputError
from .experiment import LoraSettings
from .run import Run


def warm_start(base: PreTrainedModel, parent: Path, lora: LoraSettings) -> PeftModel:
    """`base` with the parent's adapter, trainable.

    Raises InputError where the parent has not finished or its adapter is not the one that the experiment describes.
    A frozen adapter would train nothing without a word (TRL issue 6700), so this checks that parameters are trainable.
    """
    run = Run(parent)
    if not run.finished:
        raise InputError(f"parent run {parent}: it has no finished adapter. Train it first, or give --parent.")
    found = json.loads((run.adapter / "adapter_config.json").read_text(encoding="utf-8"))
    wanted = {"r": lora.r, "lora_alpha": lora.alpha, "target_modules": sorted(lora.targets)}
    given = {**{key: found[key] for key in ("r", "lora_alpha")}, "target_modules": sorted(found["target_modules"])}
    if given != wanted:
        raise InputError(f"parent run {parent}: its adapter is {given}, the experiment's [lora] says {wanted}.")
    model = PeftModel.from_pretrained(base, str(run.adapter), is_trainable=True)
    if trainable_parameters(model) == 0:
        raise RuntimeError(f"the adapter of {parent} was loaded without a trainable parameter")
    return model


def trainable_parameters(model: Any) -> int:
    """How many numbers training may change."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def save_adapter(model: Any, tokenizer: PreTrainedTokenizerBase, run: Run) -> None:
    """Save the adapter (safetensors) and tokenizer; the folder `adapter` appears when all of it is written."""
    unfinished = run.folder / ".adapter.part"
    shutil.rmtree(unfinished, ignore_errors=True)
    model.save_pretrained(str(unfinished), safe_serialization=True)
    tokenizer.save_pretrained(str(unfinished))
    unfinished.rename(run.adapter)
    shutil.rmtree(run.checkpoints, ignore_errors=True)
