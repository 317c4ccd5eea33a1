"""Files that are whole or absent: nobody ever reads a half-written one."""

import fcntl
import hashlib
import json
import os
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .errors import InputError
from .reading import opened_bytes


@contextmanager
def whole(path: Path, private: bool = False) -> Iterator[Path]:
    """Yields a temporary path beside `path`; it takes `path`'s name when the block ends well, else it is removed.

    Two runs that write one file take turns. `private`: for its owner alone (0600), since it may hold credentialed text.
    Raises InputError where it cannot be written: a full disk, a folder of that name, a folder that is read-only.
    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _locked(temporary, 0o600 if private else 0o666)
    except OSError as error:
        raise InputError(_unwritable(path, error)) from None
    try:
        yield temporary
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno and error.filename in (None, str(temporary), temporary):
            raise InputError(_unwritable(path, error)) from None
        raise
    finally:
        _flock(lock, fcntl.LOCK_UN)
        os.close(lock)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Makes `folder` and holds it for this process alone (`.lock` in it). What it made and left empty is removed.

    The lock of a killed run is taken over. Raises InputError where another process holds the folder, and where it
    cannot be made.
    """
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    lock = _lock_of(folder)
    try:
        yield
    finally:
        (folder / ".lock").unlink(missing_ok=True)
        os.close(lock)
        with suppress(OSError):  # something lies in it
            for place in made:
                place.rmdir()


def _lock_of(folder: Path) -> int:
    file = folder / ".lock"
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise InputError(_unwritable(folder, error)) from None
        if not _flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB):
            os.close(lock)
            raise InputError(f"{folder}: another process is at work in it. Wait for its end, or choose another output.")
        if _is_at(lock, file):
            return lock
        os.close(lock)  # its holder has just ended, and removed it


def _unwritable(path: Path, error: OSError) -> str:
    return f"{path}: cannot be written ({error.strerror or error}). Choose another output, or make room."


def _locked(file: Path, mode: int) -> int:
    """A new empty file that this run alone writes. Returns the descriptor whose lock says so."""
    while True:
        try:
            lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError:
            _wait_for(file)
            continue
        _flock(lock, fcntl.LOCK_EX)
        if _is_at(lock, file):
            return lock
        os.close(lock)


def _wait_for(file: Path) -> None:
    """Until the run that writes `file` has ended. What a killed run left, whose lock is free, is removed."""
    try:
        lock = os.open(file, os.O_RDWR)
    except FileNotFoundError:
        return
    try:
        if not _flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB):
            print(f"waiting for another run that writes {file.name[1:-5]}", file=sys.stderr)
            _flock(lock, fcntl.LOCK_EX)
        if _is_at(lock, file):
            file.unlink()
    finally:
        os.close(lock)


def _flock(descriptor: int, how: int) -> bool:
    """Whether the lock was got. A file system without locks gives every one."""
    try:
        fcntl.flock(descriptor, how)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _is_at(descriptor: int, file: Path) -> bool:
    """Whether the open file still has that name."""
    try:
        return os.path.samestat(os.fstat(descriptor), file.stat())
    except FileNotFoundError:
        return False


def refuse_overwriting(outputs: Iterable[Path], *inputs: Path | None) -> None:
    """Raises InputError where an output, under whatever name, is one of the inputs."""
    given = [file for file in inputs if file is not None and file.exists()]
    for output in outputs:
        if any(output.exists() and output.samefile(file) for file in given):
            raise InputError(
                f"{output}: this is an input of the same command, and would be lost; choose another output."
            )


def quarantine_of(output: Path) -> Path:
    """Where the rows lie that could not be used for `output`."""
    return output.with_name(f"{output.name}.quarantine.jsonl")


def write_text(path: Path, text: str, private: bool = False) -> None:
    """Write `text` to `path`, whole or not at all; `private` as in `whole`."""
    with whole(path, private) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, values: Any) -> None:
    """Write `values` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content; of the uncompressed content where the name ends in .gz.

    Raises InputError for a file that cannot be read to its end, e.g. a damaged .gz.
    """
    digest = hashlib.sha256()
    try:
        with opened_bytes(path) as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read to the end ({error}). Get it again.") from None
    return digest.hexdigest()
