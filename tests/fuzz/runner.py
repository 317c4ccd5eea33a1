"""One case of a fuzz target: what was tried, and what came of it."""

import contextlib
import io
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

from esi_triage.cli import main as cli
from esi_triage.errors import InputError

HANG = 10  # seconds of this process' own time: other work on the machine is no hang
ASLEEP = 120  # seconds of anybody's time
Target = Callable[[Random, Path], str | None]
"""Makes an input in a folder and gives it to the software. Returns what was accepted in silence, else null.
An InputError is well; any other exception is a traceback."""


class Outcome(NamedTuple):
    """`kind`: fine, refused, traceback, silent or hang."""

    kind: str
    seconds: float
    told: str = ""


class Printed(NamedTuple):
    code: int
    out: str
    err: str


def esi(*argv: object, stdin: bytes = b"") -> Printed:
    """The command `esi`, in this process. An exception that a user would see as a traceback comes through."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    old = sys.argv, sys.stdin, sys.stdout, sys.stderr
    sys.argv, sys.stdin = ["esi", *map(str, argv)], io.TextIOWrapper(io.BytesIO(stdin), "utf-8")
    sys.stdout, sys.stderr = out, err
    try:
        cli.main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    finally:
        sys.argv, sys.stdin, sys.stdout, sys.stderr = old
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())  # pyright: ignore[reportAttributeAccessIssue]
    return Printed(code, *texts)


def tried(target: Target, seed: str, folder: Path) -> Outcome:
    """Try one case, of which the seed says all."""
    began = time.process_time()
    try:
        with _at_most(3 * HANG):
            silent = target(Random(seed), folder)
    except InputError as error:
        return Outcome("refused", time.process_time() - began, str(error))
    except _TooLongError:
        return Outcome("hang", time.process_time() - began, f"{seed}: stopped\n{traceback.format_exc()}")
    except Exception:
        return Outcome("traceback", time.process_time() - began, f"{seed}:\n{traceback.format_exc()}")
    seconds = time.process_time() - began
    if seconds > HANG:
        return Outcome("hang", seconds, seed)
    return Outcome("silent", seconds, f"{seed}: {silent}") if silent else Outcome("fine", seconds)


class _TooLongError(BaseException):
    """Passes through every handler of errors."""


@contextlib.contextmanager
def _at_most(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise _TooLongError

    old = [signal.signal(sign, stop) for sign in (signal.SIGPROF, signal.SIGALRM)]
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.alarm(ASLEEP)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        for sign, handler in zip((signal.SIGPROF, signal.SIGALRM), old, strict=True):
            signal.signal(sign, handler)
