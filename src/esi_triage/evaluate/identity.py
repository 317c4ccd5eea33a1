"""What was scored: the hash that tells one model from another, and the settings under which it answered."""

import hashlib
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..answer import load_prompt
from ..files import sha256_of

_WEIGHTS = (
    "adapter/adapter_model.safetensors",
    "adapter_model.safetensors",
    "model.safetensors",
    "predictions.parquet",
)


def model_sha256(spec: str, identity: str | None = None) -> str:
    """What tells one model from another: the hash of its weights where they are files here.

    Else of its `identity` (predict.Model), else of its name and our version.
    """
    folder = Path(spec)
    if folder.is_file():
        return sha256_of(folder)
    for name in _WEIGHTS:
        if (folder / name).is_file():
            return sha256_of(folder / name)
    return hashlib.sha256((identity or f"{spec} esi-triage {version('esi-triage')}").encode()).hexdigest()


def settings_of(spec: str, identity: str | None = None) -> dict[str, Any]:
    """How a model answers, as plain values: our version, its hash, and of a run its base, prompt and decoding."""
    said: dict[str, Any] = {
        "esi_triage": version("esi-triage"),
        "model": spec,
        "model_sha256": model_sha256(spec, identity),
    }
    experiment = Path(spec) / "experiment.toml"
    if not experiment.is_file():
        return said
    text = experiment.read_text(encoding="utf-8")
    values = tomllib.loads(text)
    prompt = load_prompt(values["prompt"])
    return said | {
        "experiment": values["name"],
        "base": values["base"],
        "profile": values["profile"],
        "prompt": prompt.name,
        "prompt_sha256": prompt.sha256,
        "decoding": values["evaluate"],
    }
