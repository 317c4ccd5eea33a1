"""One row of the decision log, and the hash that binds it to the row before."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ...errors import InputError

GENESIS = "0" * 64
"""What stands for the hash before the first row."""

Kind = Literal["advice", "decision", "feedback", "erasure"]
KINDS: tuple[Kind, ...] = ("advice", "decision", "feedback", "erasure")


@dataclass(frozen=True, slots=True)
class Record:
    """One row. `time` is UTC in ISO 8601, `hash` SHA-256 in hex.

    `previous` is the id of the record that this one answers or follows (advice before feedback, triage before
    re-triage). `text_hash` covers a salt and the text that came with the row; the row itself never holds the text.
    """

    sequence: int
    id: str
    time: str
    kind: Kind
    previous: str | None
    body: dict[str, Any]
    text_hash: str | None
    prior_hash: str
    hash: str


COLUMNS = ("sequence", "id", "time", "kind", "previous", "body", "text_hash", "prior_hash", "hash")


def canonical(body: Mapping[str, Any]) -> str:
    """`body` as the one JSON text that stands for it: sorted keys, ASCII. ValueError for NaN, infinity, other types."""
    try:
        return json.dumps(dict(body), sort_keys=True, separators=(",", ":"), allow_nan=False)
    except TypeError as error:
        raise ValueError(f"the body of a log row is plain JSON: {error}") from None


def salted_hash(salt: bytes, text: str) -> str:
    """SHA-256 of salt and text. Without the salt it says nothing about the text, so erasing both leaves the chain."""
    return hashlib.sha256(salt + text.encode("utf-8")).hexdigest()


def row_hash(row: Mapping[str, Any]) -> str:
    """SHA-256 over every column but `hash`; `body` is taken as its stored text."""
    covered = [row[name] for name in COLUMNS[:-1]]
    return hashlib.sha256(json.dumps(covered, separators=(",", ":")).encode("ascii")).hexdigest()


def is_bytes_in(row: Mapping[str, Any]) -> bool:
    """Whether a column holds bytes, which the log never writes there."""
    return any(isinstance(row[name], bytes) for name in COLUMNS)


def record_of(row: Mapping[str, Any], file: Path) -> Record:
    """A stored row of `file` as a Record. Raises InputError for one that the log cannot have written."""
    values = {name: row[name] for name in COLUMNS}
    body = None if is_bytes_in(row) else _object(values["body"])
    if body is None or values["kind"] not in KINDS:
        raise InputError(
            f"{file}: row {values['sequence']} ({values['id']}) cannot be read: it was changed after it was written. "
            "`esi log verify` names the first row that does not hold; go back to a backup of the log."
        )
    return Record(**{**values, "body": body})


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
