"""The tiny base: built once on this machine, cached, and from then on treated like any base."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from .tiny_corpus import TEMPLATE, base_texts, text_of, tiny_recipe


def cache_folder() -> Path:
    """Where built bases are kept: $ESI_CACHE, else esi-triage in the user's cache folder."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("ESI_CACHE") or Path(home) / "esi-triage")


def tiny_place(smoke: bool = False) -> Path:
    """Where the tiny base of this version lies, built or not: the name has a hash of all that decides its weights."""
    recipe = tiny_recipe(smoke)
    source = [repr(recipe), text_of(TEMPLATE), *base_texts(recipe, 200)]
    key = hashlib.sha256("\n".join(source).encode()).hexdigest()[:12]
    return cache_folder() / "bases" / f"tiny-{'smoke-' if smoke else ''}{key}"


def tiny_base(smoke: bool = False) -> Path:
    """The folder of the tiny base, built first where the cache does not hold it (some four minutes on two cores)."""
    place = tiny_place(smoke)
    if not place.is_dir():
        from .pretraining import build_base

        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".building-") as scratch:
            build_base(tiny_recipe(smoke), text_of(TEMPLATE), Path(scratch) / "base")
            if not place.is_dir():  # another process may have been faster
                shutil.move(Path(scratch) / "base", place)
    return place
