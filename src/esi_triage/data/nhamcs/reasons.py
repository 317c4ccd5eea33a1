"""Reasons for visit in words: the survey's codes as nurses and patients say them (`wordings/`)."""

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple


class Reason(NamedTuple):
    """A code's official label and its wordings. `not_told` says why it may not enter a narrative."""

    label: str
    say: tuple[str, ...]
    unspecific: bool
    not_told: str | None


@cache
def wordings() -> dict[int, Reason]:
    """Every code (the printed code x 10) with its wordings."""
    folder = resources.files("esi_triage.data.nhamcs") / "wordings"
    texts = [file.read_text(encoding="utf-8") for file in folder.iterdir() if file.name.endswith(".toml")]
    return {
        int(code): Reason(found["label"], tuple(found["say"]), found.get("unspecific", False), found.get("not_told"))
        for text in texts
        for code, found in tomllib.loads(text).items()
    }


def complaint(codes: Sequence[float | None], drawn: int) -> tuple[str | None, list[str]]:
    """The chief complaint of these reasons, the first one leading, and codes of `quality` for what it is worth.

    `drawn` >= 0 chooses the wordings. A reason that is not told, or has no wording, is left out: none takes its place.
    """
    told: list[str] = []
    quality: list[str] = []
    known = wordings()
    for place, code in enumerate(codes):
        if code is None:
            continue
        reason = known.get(int(code)) if code == int(code) else None
        if reason is None or reason.not_told:
            quality.append("reason-not-told" if reason else "reason-unknown-code")
            continue
        drawn, choice = divmod(drawn, len(reason.say))
        told.append(reason.say[choice])
        if reason.unspecific and place == 0:
            quality.append("reason-unspecific")
    return ", ".join(dict.fromkeys(told)) or None, list(dict.fromkeys(quality))
