"""Answers kept as they come, so that a run that was killed goes on where it was: no case asked twice, none lost.

The cache lies beside the output: JSON lines, only ever appended to. An answer's key is a hash of the model's identity
(weights or endpoint, prompt, settings), the case_id and the narrative: what belongs to another run is not taken up.
`kind` is the dataclass of what is kept: a model's reply, or what a teacher wrote.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TextIO, TypeVar

from .errors import InputError
from .esi import Case


class Answered(Protocol):
    """A dataclass that can be kept; `error` says why there is no answer."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def error(self) -> str | None:
        """Null where there is an answer."""
        ...


Kept = TypeVar("Kept", bound=Answered)


class ResumeCache(Generic[Kept]):
    """The replies of one model, kept in `file`. Open it with `opened`."""

    def __init__(self, file: Path, identity: str, stream: TextIO, kind: type[Kept]) -> None:
        self._identity = identity
        self._stream = stream
        self._kept, whole = _read(file, kind)
        if not whole:
            stream.write("\n")

    def get(self, case: Case) -> Kept | None:
        """The reply that this model has given to this case, if it was kept."""
        return self._kept.get(_key(self._identity, case))

    def keep(self, replies: Sequence[tuple[Case, Kept]]) -> None:
        """Write replies down at once. A failure is not kept: it is asked again when the run goes on."""
        rows = [
            {"key": _key(self._identity, case), "case_id": case.case_id, **asdict(reply)}
            for case, reply in replies
            if reply.error is None
        ]
        try:
            self._stream.write("".join(f"{json.dumps(row)}\n" for row in rows))
            self._stream.flush()
        except OSError as error:
            why = f"{self._stream.name}: replies cannot be kept there ({error.strerror})"
            raise InputError(f"{why}. Make room; the same command goes on.") from None


def cache_of(output: Path) -> Path:
    """Where the resume cache of an output file lies."""
    return output.with_name(f"{output.name}.resume.jsonl")


@contextmanager
def opened(output: Path, identity: str, kind: type[Kept]) -> Iterator[ResumeCache[Kept]]:
    """The resume cache beside `output`, for reading and appending. Raises InputError where it cannot be written."""
    file = cache_of(output)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # for its owner alone: replies may quote credentialed text
        stream = os.fdopen(os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "a+", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file}: replies cannot be kept there ({error.strerror}). Choose another output.") from None
    with stream:
        yield ResumeCache(file, identity, stream, kind)


def close(output: Path, replies: Iterable[Answered]) -> list[str]:
    """Why cases failed, one reason each. The cache is removed, unless some did: the same command asks those again."""
    failed = [reply.error for reply in replies if reply.error is not None]
    if not failed:
        cache_of(output).unlink(missing_ok=True)
    return failed


def _key(identity: str, case: Case) -> str:
    return hashlib.sha256("\0".join((identity, case.case_id, case.narrative)).encode()).hexdigest()


def _read(file: Path, kind: type[Kept]) -> tuple[dict[str, Kept], bool]:
    """Replies by key, and whether the last line is whole: one torn by a kill is a reply that was not kept."""
    kept: dict[str, Kept] = {}
    line = b"\n"
    with file.open("rb") as stream:
        for line in stream:
            try:
                row: dict[str, Any] = json.loads(line)
                key = str(row["key"])
            except (ValueError, RecursionError, KeyError, TypeError):
                continue
            values: dict[str, Any] = {name: row[name] for name in kind.__dataclass_fields__ if name in row}
            values |= {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
            kept[key] = kind(**values)
    return kept, line.endswith(b"\n")
