"""Replies kept as they come, so that a run that was killed goes on where it was: no case asked twice, none lost.

The journal lies beside the output: JSON lines, only ever appended to. A reply's key is a hash of the model's identity
(weights or endpoint, prompt, settings), the case_id and the narrative: what belongs to another run is not taken up.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from ..errors import InputError
from ..esi import Case
from .model import Reply

_FIELDS = tuple(Reply.__dataclass_fields__)


class Journal:
    """The replies of one model, kept in `file`. Open it with `opened`."""

    def __init__(self, file: Path, identity: str, stream: TextIO) -> None:
        self._identity = identity
        self._stream = stream
        self._kept, whole = _read(file)
        if not whole:
            stream.write("\n")

    def get(self, case: Case) -> Reply | None:
        """The reply that this model has given to this case, if it was kept."""
        return self._kept.get(_key(self._identity, case))

    def keep(self, replies: Sequence[tuple[Case, Reply]]) -> None:
        """Write replies down at once. A failure is not kept: it is asked again when the run goes on."""
        rows = [
            {"key": _key(self._identity, case), "case_id": case.case_id, **asdict(reply)}
            for case, reply in replies
            if reply.error is None
        ]
        self._stream.write("".join(f"{json.dumps(row)}\n" for row in rows))
        self._stream.flush()


def journal_of(output: Path) -> Path:
    """Where the journal of an output file lies."""
    return output.with_name(f"{output.name}.journal.jsonl")


@contextmanager
def opened(output: Path, identity: str) -> Iterator[Journal]:
    """The journal beside `output`, for reading and appending. Raises InputError where it cannot be written."""
    file = journal_of(output)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        stream = file.open("a+", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file}: replies cannot be kept there ({error.strerror}). Choose another output.") from None
    with stream:
        yield Journal(file, identity, stream)


def close(output: Path, replies: Iterable[Reply]) -> list[str]:
    """Why cases failed, one reason each. The journal goes, unless some did: the same command asks those alone again."""
    failed = [reply.error for reply in replies if reply.error is not None]
    if not failed:
        journal_of(output).unlink(missing_ok=True)
    return failed


def _key(identity: str, case: Case) -> str:
    return hashlib.sha256("\0".join((identity, case.case_id, case.narrative)).encode()).hexdigest()


def _read(file: Path) -> tuple[dict[str, Reply], bool]:
    """Replies by key, and whether the last line is whole: one torn by a kill is a reply that was not kept."""
    kept: dict[str, Reply] = {}
    line = b"\n"
    with file.open("rb") as stream:
        for line in stream:
            try:
                row: dict[str, Any] = json.loads(line)
            except ValueError:
                continue
            if row["probabilities"] is not None:
                row["probabilities"] = tuple(row["probabilities"])
            kept[row["key"]] = Reply(**{name: row[name] for name in _FIELDS})
    return kept, line.endswith(b"\n")
