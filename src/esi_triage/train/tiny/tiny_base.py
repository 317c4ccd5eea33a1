"""The tiny base: it ships beside this file, and is treated like any base. The smoke build is made and cached here."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from .tiny_corpus import TEMPLATE, base_texts, text_of, tiny_recipe

SHIPPED = Path(__file__).parent / "tiny-4523decae502"
"""Named by the first digits of its weights' SHA-256: whatever keeps a base's name tells one build from another."""

READ_UNTIL = 2018
"""The last year of NHAMCS whose visits it has read."""


def cache_folder() -> Path:
    """Where built bases are kept: $ESI_CACHE, else esi-triage in the user's cache folder."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("ESI_CACHE") or Path(home) / "esi-triage")


def tiny_base(smoke: bool = False) -> Path:
    """The folder of the tiny base. The smoke build, which has learned hardly anything, is made here."""
    return _smoke_base() if smoke else SHIPPED


def make_tiny_base(visits: Path, place: Path) -> None:
    """Make the tiny base anew in the folder `place`, from made-up notes and a case table of visits (40 minutes on two
    cores; once interrupted it starts over). Raises InputError where `place` exists or the table has too few visits."""
    from ...data.case_table import good_cases
    from ...data.sampling import trainable
    from ...errors import InputError
    from .pretraining import build_base

    if place.exists():
        raise InputError(f"{place}: exists; give another folder, or remove it.")
    recipe = tiny_recipe(smoke=False)
    taught = [case for case in trainable(good_cases(visits)) if case.scale == "us-5-level"]
    wanted = round(recipe["visits"] * recipe["steps"] * recipe["batch_size"])
    if len(taught) < wanted:
        raise InputError(
            f"{visits}: it has {len(taught):,} visits of the split train with a level on the scale us-5-level; the "
            f"tiny base reads {wanted:,}. Give the table of `esi data build nhamcs`."
        )
    place.absolute().parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.absolute().parent, prefix=".building-") as scratch:
        build_base(recipe, text_of(TEMPLATE), Path(scratch) / "base", taught)
        shutil.move(Path(scratch) / "base", place)


def _smoke_base() -> Path:
    recipe = tiny_recipe(smoke=True)
    source = [repr(recipe), text_of(TEMPLATE), *base_texts(recipe, 200)]
    key = hashlib.sha256("\n".join(source).encode()).hexdigest()[:12]  # all that decides its weights
    place = cache_folder() / "bases" / f"tiny-smoke-{key}"
    if not place.is_dir():
        from .pretraining import build_base

        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".building-") as scratch:
            build_base(recipe, text_of(TEMPLATE), Path(scratch) / "base")
            if not place.is_dir():  # another process may have been faster
                shutil.move(Path(scratch) / "base", place)
    return place
