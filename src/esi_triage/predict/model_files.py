"""Where a model's files lie: those that ship with the package, what each was made from, and the hash of its weights."""

import hashlib
from functools import cache
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..atomic_files import sha256_of
from ..errors import validated

CALIBRATION, FAST_CALIBRATION = "calibration.json", "calibration.fast.json"
_WEIGHTS = (
    "adapter/adapter_model.safetensors",
    "adapter_model.safetensors",
    "model.safetensors",
    "predictions.parquet",
)


class ShippedModel(BaseModel):
    """model.json of a model that ships: what it is, what it was trained on, and what it reached where."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: Literal["reader", "risk", "findings", "language-model"]
    base: str
    trained_on: str | list[str] = ""
    data_hash: str | dict[str, str] = ""
    reached: dict[str, Any] = Field(default_factory=dict)


def shipped_folder() -> Path:
    """Where the models that ship lie, one folder each."""
    return Path(str(resources.files("esi_triage") / "models"))


@cache
def shipped_models() -> dict[str, ShippedModel]:
    """The models that ship, by name. Raises InputError, naming the file, where a model.json is damaged."""
    found = {}
    for file in sorted(shipped_folder().glob("*/model.json")):
        try:
            found[file.parent.name] = ShippedModel.model_validate_json(file.read_text(encoding="utf-8"))
        except ValueError:
            validated(ShippedModel, {}, file)
    return found


def folder_of(spec: str) -> Path:
    """The folder or file of what `spec` names, whether it exists or not."""
    if spec in shipped_models():
        return shipped_folder() / spec
    return Path(spec.removeprefix("baseline:").removeprefix("reader:"))


def calibration_beside(spec: str, fast: bool = False) -> Path | None:
    """The calibration that lies with a model's files, where there is one: of its answers, or of its `fast` ones."""
    place, name = folder_of(spec), FAST_CALIBRATION if fast else CALIBRATION
    file = place.with_name(f"{place.name}.{name}") if spec.startswith("baseline:") else place / name
    return file if file.is_file() else None


def model_sha256(spec: str, identity: str | None = None) -> str:
    """What tells one model from another: the hash of its weights where they are files here.

    Else of its `identity` (predict.Model), else of its name and our version.
    """
    folder = folder_of(spec)
    if folder.is_file():
        return sha256_of(folder)
    weights = [folder.with_suffix(".npz")] if spec.startswith("baseline:") else [folder / name for name in _WEIGHTS]
    for file in weights:
        if file.is_file():
            return sha256_of(file)
    return hashlib.sha256((identity or f"{spec} esi-triage {version('esi-triage')}").encode()).hexdigest()
