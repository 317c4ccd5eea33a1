"""The ledger beside a case file: every time it was scored, by which model, with what result.

A test set that is looked at often is a tuning set. Nobody can prevent that; the ledger makes it visible.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import InputError


def ledger_of(cases_file: Path) -> Path:
    """Where the ledger of a case file lies: `held_out.parquet.ledger.jsonl`."""
    return cases_file.with_name(f"{cases_file.name}.ledger.jsonl")


def check(cases_file: Path) -> None:
    """Raises InputError where the ledger cannot be read or written: before hours of answering, not after."""
    read_ledger(cases_file)
    try:
        with ledger_of(cases_file).open("ab"):
            pass
    except OSError as error:
        raise InputError(
            f"{ledger_of(cases_file)}: the ledger of this case set cannot be written ({error.strerror}); every scoring "
            "is noted beside the set: copy the set to a folder that you can write to."
        ) from None


def read_ledger(cases_file: Path) -> list[dict[str, Any]]:
    """The entries, oldest first; none where there is no ledger yet. Raises InputError for a line that is no entry."""
    file = ledger_of(cases_file)
    if not file.is_file():
        return []
    entries = []
    for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            entries.append(
                {name: entry[name] for name in ("when", "cases_sha256", "model", "model_sha256", "n", "exact")}
            )
        except (ValueError, KeyError, TypeError):
            raise InputError(f"{file}: line {number} is no ledger entry; remove that line and keep the rest.") from None
    return entries


def append(
    cases_file: Path, cases_sha256: str, model: str, model_hash: str, measured: dict[str, Any]
) -> dict[str, Any]:
    """Note one scoring and return its entry. Several processes may write at once: an entry is one appended line."""
    exact = measured["exact"]
    entry = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "cases_sha256": cases_sha256,
        "model": model,
        "model_sha256": model_hash,
        "n": measured["n"],
        "exact": [exact["value"], exact["low"], exact["high"]],
    }
    _append_line(ledger_of(cases_file), json.dumps(entry, ensure_ascii=False))
    return entry


def use_of(cases_file: Path, cases_sha256: str) -> dict[str, Any]:
    """How often the set, as it is now, was scored, by how many models, since when; and how often in other versions."""
    entries = read_ledger(cases_file)
    same = [entry for entry in entries if entry["cases_sha256"] == cases_sha256]
    return {
        "scorings": len(same),
        "models": len({entry["model_sha256"] for entry in same}),
        "first": same[0]["when"] if same else None,
        "last": same[-1]["when"] if same else None,
        "other_versions": len(entries) - len(same),
    }


def _append_line(file: Path, line: str) -> None:
    """One write to a file opened for appending: lines of other processes come before or after, never inside.

    A line that a crash cut off is ended first, so that it cannot swallow this one.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        os.write(descriptor, (b"\n" if torn else b"") + line.encode() + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def in_words(use: dict[str, Any]) -> str:
    """`once, now` or `3 times since 2026-01-05, by 2 models`."""
    n, models = use["scorings"], use["models"]
    return "once, now" if n == 1 else f"{n} times since {use['first'][:10]}, by {models} model{'s' * (models > 1)}"
