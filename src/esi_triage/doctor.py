"""What is on this machine, and what can be done with it."""

import importlib.util
import os
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from .train.bases import BASES, Base
from .train.reader.minilm import minilm_missing


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the examination. `optional` means that the default chain works without it."""

    what: str
    mark: Literal["ok", "MISSING", "optional"]
    found: str
    fix: str = ""


def examine() -> list[Check]:
    """All checks, in order. Imports torch where it is installed; fetches nothing."""
    return [_python(), *_packages(), _device(), *(_base(*item) for item in BASES.items()), _reader(), _disk()]


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


def _base(name: str, base: Base) -> Check:
    """A base is never missing: the default one comes with the package, and the others are optional."""
    place = base.find()
    if place is not None:
        return Check(f"base {name}", "ok", f"in {place} ({base.about})")
    return Check(f"base {name}", "optional", f"not on this machine ({base.about})", base.fetch)


def _reader() -> Check:
    """The reader answers beside the rules where its base is; `findings` in its place where it is not."""
    if minilm_missing() is None:
        return Check("reader's base", "ok", "all-MiniLM-L6-v2: the guard answers with the reader")
    return Check("reader's base", "optional", "not on this machine: the guard answers with findings", "make reader")


def _disk() -> Check:
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    return Check("disk", "ok" if free > 2 else "MISSING", f"{free:.0f} GiB free here", "" if free > 2 else "free 2 GiB")
