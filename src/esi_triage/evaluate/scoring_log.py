"""The scoring log beside a case file: every time it was scored, by which model, with what result.

A test set that is looked at often is a tuning set. Nobody can prevent that; the log makes it visible.
"""

import errno
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import InputError


def log_of(cases_file: Path) -> Path:
    """Where the scoring log of a case file lies: `held_out.parquet.scoring_log.jsonl`."""
    return cases_file.with_name(f"{cases_file.name}.scoring_log.jsonl")


def check_writable(cases_file: Path) -> None:
    """Raises InputError where the log cannot be read or written: before hours of answering, not after."""
    read_log(cases_file)
    try:
        with log_of(cases_file).open("ab"):
            pass
    except OSError as error:
        raise InputError(
            f"{log_of(cases_file)}: the scoring log of this case set cannot be written ({error.strerror}); every "
            "scoring is noted beside the set: copy the set to a folder that you can write to."
        ) from None


def read_log(cases_file: Path) -> list[dict[str, Any]]:
    """The entries, oldest first; none where there is no log yet. Raises InputError for a line that is no entry.

    Entries that earlier versions wrote, in NAME.ledger.jsonl, come first.
    """
    former = cases_file.with_name(f"{cases_file.name}.ledger.jsonl")
    return [entry for file in (former, log_of(cases_file)) for entry in _entries(file)]


def _entries(file: Path) -> list[dict[str, Any]]:
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
                | {"run": entry.get("run")}
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise InputError(f"{file}: line {number} is no entry; remove that line and keep the rest.") from None
    return entries


def entry_of(
    cases_sha256: str, model: str, model_hash: str, measured: Mapping[str, Any], run: str | None = None
) -> dict[str, Any]:
    """The entry of one scoring, now. `run` names it, so that one that was killed and goes on counts once."""
    exact = measured["exact"]
    return {
        "run": run,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "cases_sha256": cases_sha256,
        "model": model,
        "model_sha256": model_hash,
        "n": measured["n"],
        "exact": [exact["value"], exact["low"], exact["high"]],
    }


def append(cases_file: Path, entry: Mapping[str, Any]) -> None:
    """Note one scoring, once. Several processes may write at once: an entry is one appended line.

    A damaged line in the log keeps no scoring from being noted; `check_writable` names it before the next one.
    """
    with suppress(InputError):
        if _is_noted(read_log(cases_file), entry):
            return
    _append_line(log_of(cases_file), json.dumps(entry, ensure_ascii=False))


def use_of(cases_file: Path, cases_sha256: str, now: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """How often the set, as it is now, was scored, by how many models, since when; and how often in other versions.

    `now` is an entry that is about to be appended: it counts.
    """
    entries = read_log(cases_file)
    entries += [dict(now)] if now and not _is_noted(entries, now) else []
    same = [entry for entry in entries if entry["cases_sha256"] == cases_sha256]
    return {
        "scorings": len(same),
        "models": len({entry["model_sha256"] for entry in same}),
        "first": same[0]["when"] if same else None,
        "last": same[-1]["when"] if same else None,
        "other_versions": len(entries) - len(same),
    }


def _is_noted(entries: list[dict[str, Any]], entry: Mapping[str, Any]) -> bool:
    same = ("run", "cases_sha256", "model_sha256")
    return entry.get("run") is not None and any(all(noted[k] == entry[k] for k in same) for noted in entries)


def _append_line(file: Path, line: str) -> None:
    """One write to a file opened for appending: lines of other processes come before or after, never inside.

    A line that a crash cut off is ended first, so that it cannot swallow this one.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        data = (b"\n" if torn else b"") + line.encode() + b"\n"
        if os.write(descriptor, data) < len(data):
            os.ftruncate(descriptor, size)  # half an entry would spoil the log
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def in_words(use: dict[str, Any]) -> str:
    """`once, now` or `3 times since 2026-01-05, by 2 models`."""
    n, models = use["scorings"], use["models"]
    return "once, now" if n == 1 else f"{n} times since {use['first'][:10]}, by {models} model{'s' * (models > 1)}"
