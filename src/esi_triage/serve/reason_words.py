"""What the codes of reasons say: why a case is handed over, and why a person chose another level (reasons.toml)."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

from ..predict.guard.hand_over import reason_sentences


@cache
def _words() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((resources.files("esi_triage.serve") / "reasons.toml").read_text(encoding="utf-8"))


def hand_over_words() -> Mapping[str, str]:
    """Code of a reason to hand over -> the sentence that a person reads: the guard's (guard.toml) and our own."""
    return {**reason_sentences(), **_words()["hand_over"]}


def override_words() -> Mapping[str, str]:
    """Code of a reason to choose another level -> the sentence that a person ticks."""
    return _words()["override"]
