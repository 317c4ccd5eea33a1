"""One command in a process of its own, forked from one that has everything loaded; and what is wrong with its end."""

import contextlib
import hashlib
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from runner import HANG

from esi_triage.cli import main as cli
from esi_triage.reading import strict_json

ASLEEP = 90  # seconds of anybody's time
MEMORY = 3 << 29  # a gigabyte, and half of one for what the forked process has loaded already
FAILS = frozenset({"evaluate", "data check", "reward audit", "reward repair", "log verify"})  # 1 is an answer of theirs


def run(
    argv: list[str], folder: Path, surroundings: Callable[[], None] = lambda: None, seconds: int = HANG
) -> tuple[int, int]:
    """`esi ARGV` in `folder`, its output in out.txt and err.txt: the wait status and the most memory in bytes."""
    child = os.fork()
    if child == 0:
        code = 70
        with contextlib.suppress(BaseException):
            code = _child(argv, folder, surroundings, seconds)
        os._exit(code)
    _, status, used = os.wait4(child, 0)
    return status, used.ru_maxrss * 1024


def _child(argv: list[str], folder: Path, surroundings: Callable[[], None], seconds: int) -> int:
    os.setsid()
    os.chdir(folder)
    for name, descriptor in (("../out.txt", 1), ("../err.txt", 2)):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), descriptor)
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    surroundings()
    for stream, descriptor, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        try:
            made = os.fdopen(descriptor, mode, encoding="utf-8", errors="surrogateescape", closefd=False)
        except OSError:  # what Python makes of a stream that is closed
            made = None
        setattr(sys, stream, made)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))  # SIGXCPU, then SIGKILL
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(ASLEEP)
    sys.argv = ["esi", *argv]
    try:
        cli.main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        os.write(2, traceback.format_exc().encode("utf-8", "replace"))
        code = 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    return code


def wrong(
    command: list[str], may_stop: bool, status: int, memory: int, folder: Path, before: dict[str, str]
) -> str | None:
    """What is wrong with how a command ended, or null; `may_stop`: it is one that runs long, and was stopped."""
    err = (folder.parent / "err.txt").read_bytes().decode(errors="replace")
    if "Traceback (most recent" in err or "Exception ignored" in err:
        return f"traceback: {err[-1500:]}"
    if os.WIFSIGNALED(status):
        stopped = os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL, signal.SIGALRM) and may_stop
        return None if stopped else f"ended by signal {os.WTERMSIG(status)}: {err[-300:]}"
    code = os.WEXITSTATUS(status)
    if code not in (0, 1, 2, 130, 141) or (code == 1 and not _may_fail(command, err)):
        return f"exit code {code}: {err[-300:]}"
    if code == 2 and "rror" not in err and "Usage" not in err:
        return f"refused without a word: {err[-300:]}"
    if memory > MEMORY:
        return f"{memory / 2**20:.0f} MB"
    changed = [
        name for name, digest in before.items() if digest_of(folder / name) != digest and not _may_change(command, name)
    ]
    if changed:
        return f"changed its input {changed[0]}"
    return _half_written(folder, before)


def _may_fail(command: list[str], err: str) -> bool:
    """1 is an answer of some verbs, and what typer ends with where nobody reads the output any more."""
    return bool(FAILS & {command[0], " ".join(command[:2])}) or not err.strip().count("rror")


def _may_change(command: list[str], name: str) -> bool:
    return (
        name.split("/")[0].startswith("out")
        or name.endswith((".scoring_log.jsonl", "-shm", "-wal", ".lock"))
        or (command[0] == "card" and name.startswith("run/"))
    )


def _half_written(folder: Path, before: dict[str, str]) -> str | None:
    for file in folder.rglob("*"):
        name = str(file.relative_to(folder))
        if name in before or not file.is_file() or file.is_symlink():
            continue
        if file.name.endswith(".part"):
            return f"left {name}"
        if file.suffix in (".json", ".jsonl", ".ndjson") and not name.startswith("out/checkpoint"):
            texts = file.read_bytes().splitlines() if file.suffix != ".json" else [file.read_bytes()]
            for text in texts:
                try:
                    strict_json(text)
                except ValueError as error:
                    return f"wrote {name}, which is no JSON: {error}"
    return None


def digest_of(file: Path) -> str:
    """What stands at a place: the hash of a file, where a link leads, or that it is something else."""
    if file.is_symlink():
        return f"link {os.path.realpath(file)}"
    if not file.is_file():
        return "other" if file.exists() else "none"
    return hashlib.sha256(file.read_bytes()).hexdigest()
