"""When a case is handed to a person: the settings of guard.toml, and what each reason says."""

from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator

from ...errors import InputError, validated
from ...reading import read_toml
from .conformal import COVERAGES


class HandOver(BaseModel):
    """The thresholds of the reasons; guard.toml says what each means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    off: tuple[str, ...] = ()
    coverage: float
    widest_set: int = Field(ge=1, le=5)
    least_probability: float = Field(ge=0, le=1)
    urgent_above: float = Field(ge=0, le=1)
    vitals_urgent_above: float = Field(ge=0, le=1)
    unread_words: float = Field(ge=0, le=1)
    risk_above: tuple[float, float, float, float, float]

    @field_validator("coverage")
    @classmethod
    def _known(cls, value: float) -> float:
        if value not in COVERAGES:
            raise ValueError(f"give {' or '.join(f'{each:.2f}' for each in COVERAGES)}")
        return value


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    table: tuple[tuple[float, float, float, float, float], ...] = Field(min_length=5, max_length=5)


class GuardSettings(BaseModel):
    """guard.toml: costs of the answers, thresholds, and the reasons in words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: _Answer
    hand_over: HandOver
    reasons: dict[str, str]

    def cheapest(self, probabilities: Sequence[float]) -> int:
        """The level of least expected cost; of equal ones the more urgent."""
        return int(np.argmin(np.round(np.array(probabilities) @ np.array(self.answer.table), 9))) + 1


def load_settings(file: Path | None = None) -> GuardSettings:
    """The settings of a TOML file; without one, of guard.toml. InputError, naming the key, for what is no setting."""
    source = file or resources.files("esi_triage.predict.guard") / "guard.toml"
    found = validated(GuardSettings, read_toml(source, "Give a TOML file like guard.toml."), str(source))
    for code in found.hand_over.off:
        if code not in found.reasons:
            raise InputError(f"{source}: hand_over.off: unknown reason {code!r}. Known: {', '.join(found.reasons)}.")
    return found


@cache
def reason_sentences() -> dict[str, str]:
    """Code of a reason to hand over -> the sentence that a person is told (guard.toml)."""
    return load_settings().reasons


def in_words(codes: Sequence[str]) -> list[str]:
    """A sentence for each code; a code that guard.toml does not name stands for itself."""
    return [reason_sentences().get(code, code) for code in codes]
