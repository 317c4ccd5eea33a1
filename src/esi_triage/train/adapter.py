"""A LoRA adapter: new, loaded so that training goes on with it, saved whole or not at all, and the base it belongs to.

`base.json` in the adapter's folder names the base without any path of the machine that trained it.
"""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ..atomic_files import write_json
from ..errors import InputError
from ..reading import read_json, read_toml
from .base_models import fingerprint
from .bases import BASES, hub_of
from .experiment import Experiment, LoraSettings
from .run import Run


def new_adapter(base: PreTrainedModel, lora: LoraSettings) -> Any:
    """`base` with an untrained adapter on it."""
    return get_peft_model(
        base,
        LoraConfig(
            r=lora.r,
            lora_alpha=lora.alpha,
            lora_dropout=lora.dropout,
            target_modules=list(lora.targets),
            task_type="CAUSAL_LM",
        ),
    )


def parent_adapter(base: PreTrainedModel, parent: Path, lora: LoraSettings) -> PeftModel:
    """`base` with the adapter of the run in `parent` on it, trainable: the warm start.

    Raises InputError where the parent has not finished, was trained on another base, or has another adapter than the
    experiment describes. A frozen adapter would train nothing without a word (TRL issue 6700), so this checks that
    parameters are trainable.
    """
    run = Run(parent)
    if not run.finished:
        raise InputError(f"parent run {parent}: it has no finished adapter. Train it first, or give --parent.")
    check_base(run.adapter, base)
    found = _facts(run.adapter / "adapter_config.json", "r", "lora_alpha", "target_modules")
    wanted = {"r": lora.r, "lora_alpha": lora.alpha, "target_modules": sorted(lora.targets)}
    given = {**{key: found[key] for key in ("r", "lora_alpha")}, "target_modules": sorted(found["target_modules"])}
    if given != wanted:
        raise InputError(f"parent run {parent}: its adapter is {given}, the experiment's [lora] says {wanted}.")
    model = PeftModel.from_pretrained(base, str(run.adapter), is_trainable=True)
    model.peft_config["default"].base_model_name_or_path = base.name_or_path  # PEFT looks there whenever it saves
    if trainable_parameters(model) == 0:
        raise RuntimeError(f"the adapter of {parent} was loaded without a trainable parameter")
    return model


def trainable_parameters(model: Any) -> int:
    """How many numbers training may change."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def adapter_sha256(model: Any) -> str:
    """SHA-256 of all that training may change."""
    digest = hashlib.sha256()
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            digest.update(name.encode() + weight.detach().float().cpu().numpy().tobytes())
    return digest.hexdigest()


def describe_base(experiment: Experiment, base: PreTrainedModel) -> dict[str, Any]:
    """What base.json holds: name, smoke build or not, name or hub id of the weights, revision, fingerprint.

    A local folder is named without its path. Call it before an adapter is put on the base.
    """
    place = Path(experiment.base)
    name = place.resolve().name if place.is_dir() else experiment.base
    loaded_from = Path(str(base.name_or_path))
    return {
        "base": name,
        "smoke": experiment.profile == "smoke",
        "weights": hub_of(name) or (loaded_from.name if loaded_from.is_dir() else name),
        "revision": getattr(base.config, "_commit_hash", None),
        "fingerprint": fingerprint(base),
    }


def save_adapter(
    model: Any, tokenizer: PreTrainedTokenizerBase, run: Run, base: dict[str, Any], bf16: bool = False
) -> None:
    """Save the adapter (safetensors), tokenizer and base.json; `adapter` appears when all of it is written.

    With `bf16` its weights are rounded to bfloat16, which halves the file; `model` is not to be trained on.
    """
    unfinished = run.folder / ".adapter.part"
    shutil.rmtree(unfinished, ignore_errors=True)
    for weight in model.parameters() if bf16 else ():
        weight.data = weight.data.bfloat16() if weight.requires_grad else weight.data
    model.save_pretrained(str(unfinished), safe_serialization=True)
    tokenizer.save_pretrained(str(unfinished))
    (unfinished / "README.md").unlink(missing_ok=True)  # PEFT's stub names the base's path; `esi card` writes the card
    config = unfinished / "adapter_config.json"
    written = json.loads(config.read_text(encoding="utf-8"))
    targets = sorted(written["target_modules"])  # PEFT writes a set: its order changes with the hash seed
    named = {"base_model_name_or_path": base["weights"], "revision": base["revision"], "target_modules": targets}
    write_json(config, written | named)
    write_json(unfinished / "base.json", base)
    unfinished.rename(run.adapter)
    shutil.rmtree(run.checkpoints, ignore_errors=True)


def base_of_adapter(folder: Path) -> tuple[str, bool]:
    """The base that an adapter folder was trained on, as `load_base` takes it: name, and whether it is the smoke build.

    Raises InputError where there is no adapter, and where its base was a local folder that nothing here leads to.
    """
    file, config = folder / "base.json", folder / "adapter_config.json"
    if not config.is_file():
        raise InputError(
            f"{folder}: no adapter here (adapter_config.json is missing). Give a run folder or an adapter."
        )
    if not file.is_file():  # an adapter that other software has trained
        return str(_facts(config, "base_model_name_or_path")["base_model_name_or_path"]), False
    about = _facts(file, "base", "smoke")
    if about["base"] in BASES or "/" in str(about["base"]):
        return str(about["base"]), about["smoke"]
    written = folder.parent / "experiment.toml"
    if written.is_file():
        return str(read_toml(written).get("base")), about["smoke"]
    raise InputError(
        f"{folder}: it was trained on a base in a folder called {about['base']!r}, which is not here. "
        f"Put the path of that folder on this machine into 'base' in {file}."
    )


def _facts(file: Path, *names: str) -> dict[str, Any]:
    """A JSON object with these keys. Raises InputError where it is damaged."""
    about = read_json(file, "Give the adapter as it was written.")
    missing = [name for name in names if not isinstance(about, dict) or about.get(name) is None]
    if missing:
        raise InputError(f"{file}: {', '.join(missing)}: missing. Give the adapter as it was written.")
    return about


def check_base(folder: Path, base: PreTrainedModel) -> None:
    """Raises InputError where the adapter in `folder` was trained on other weights than `base`."""
    file, here = folder / "base.json", Path(str(base.name_or_path)).name
    if file.is_file():
        about = _facts(file, "weights", "fingerprint")
        trained_on, same = about["weights"], about["fingerprint"] == fingerprint(base)
    else:  # other software has trained it, or a version before 0.2: builds of the tiny base alone can be told apart
        trained_on = Path(base_of_adapter(folder)[0]).name
        same = trained_on == here or not trained_on.startswith("tiny-")
    if not same:
        raise InputError(
            f"{folder}: it was trained on another base ({trained_on}) than this one ({here}), or on another build of "
            f"it. Give the base that it was trained on, or train it again."
        )
