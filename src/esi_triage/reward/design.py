"""A reward design is data: a table of gold by predicted level, what silence costs, and the bonuses with their terms."""

import math
import tomllib
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from ..errors import InputError, validated

Paid = Literal["always", "parsed", "exact"]
Outcome = Literal["exact", "wrong", "silent"]


class Design(BaseModel):
    """One reward design over n ordered levels. `table[g - 1][p - 1]` is the reward for predicting p where gold is g."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    about: str = Field(default="", description="what the design is and what became of it")
    table: tuple[tuple[float, ...], ...] = Field(description="n×n, gold in rows, predicted 1 to n in columns")
    labels: tuple[str, ...] = Field(default=(), description="names of the levels, in order; default: their numbers")
    urgent: Literal["first", "last", "neither"] = Field(default="first", description="which end is the grave one")
    no_parse: float = Field(description="reward where no level can be read from the answer")
    format_bonus: float = Field(default=0.0, description="paid for the format")
    format_means: Literal["sections", "strict"] = Field(
        default="sections", description="three headings in order, or all of it"
    )
    format_paid: Paid = Field(
        default="parsed", description="to every text, to every parsed answer, or to exact ones only"
    )
    length_bonus: float = Field(default=0.0, description="paid for brevity")
    length_limit: int = Field(default=300, gt=0, description="tokens; longer answers earn no length bonus")
    length_scale: Literal["linear", "flat"] = Field(
        default="linear", description="falls to 0 at the limit, or constant"
    )
    length_paid: Paid = Field(default="parsed", description="as format_paid")
    oversample: dict[int, float] = Field(
        default_factory=dict, validate_default=True, description="how often a gold level is drawn, default 1"
    )

    @property
    def levels(self) -> range:
        """1 to n."""
        return range(1, len(self.table) + 1)

    @property
    def rewards(self) -> np.ndarray:
        """(n, n + 1): gold in rows; predicted 1 to n, then no answer, in columns. Without bonuses."""
        return np.column_stack([np.array(self.table), np.full(len(self.table), self.no_parse)])

    def label(self, level: int) -> str:
        """The level's name; an unlabelled table of five levels is taken for ESI's."""
        if self.labels:
            return self.labels[level - 1]
        return f"ESI-{level}" if len(self.table) == 5 else f"level {level}"

    def bonus(self, outcome: Outcome, tokens: int | None = None) -> float:
        """What an answer in the full format earns beyond the table; silence has no format and can earn brevity only.

        `tokens` is its length, by default half the limit.
        """
        formatted = outcome != "silent" and pays(self.format_paid, outcome)
        length = self.length_limit // 2 if tokens is None else tokens
        brief = self.brevity(length) if pays(self.length_paid, outcome) else 0.0
        return (self.format_bonus if formatted else 0.0) + brief

    def brevity(self, tokens: int) -> float:
        """The length bonus of a text of `tokens`, where it is paid."""
        if tokens > self.length_limit:
            return 0.0
        return self.length_bonus * (1.0 if self.length_scale == "flat" else 1.0 - tokens / self.length_limit)

    def earned(self, tokens: int | None = None) -> np.ndarray:
        """`rewards` plus the bonus of each outcome: what a trainer sees of well-formed answers of that length."""
        n = len(self.table)
        bonuses = np.full((n, n + 1), self.bonus("wrong", tokens))
        np.fill_diagonal(bonuses, self.bonus("exact", tokens))
        bonuses[:, n] = self.bonus("silent", tokens)
        return self.rewards + bonuses

    @field_validator("table")
    @classmethod
    def _square(cls, table: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
        shape = [len(row) for row in table]
        if len(table) < 2 or shape != [len(table)] * len(table):
            raise ValueError(f"the table must be square, one row per gold level (two or more); it has rows of {shape}")
        if not all(math.isfinite(cell) for row in table for cell in row):
            raise ValueError("every cell of the table must be a finite number")
        return table

    @field_validator("labels")
    @classmethod
    def _one_label_a_level(cls, labels: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        n = len(info.data.get("table", labels))
        if labels and (len(labels) != n or len(set(labels)) != n or not all(labels)):
            raise ValueError(f"give {n} different names, one for each level, or none")
        return labels

    @field_validator("no_parse", "format_bonus", "length_bonus")
    @classmethod
    def _finite(cls, value: float) -> float:
        if not math.isfinite(value):
            raise ValueError("must be a finite number")
        return value

    @field_validator("oversample")
    @classmethod
    def _every_level(cls, given: dict[int, float], info: ValidationInfo) -> dict[int, float]:
        n = len(info.data.get("table", ()))
        if not n:  # the table's own error comes first
            return given
        for level, factor in given.items():
            if level not in range(1, n + 1) or not (math.isfinite(factor) and factor > 0):
                raise ValueError(f"oversample.{level} = {factor}: levels are 1 to {n} and factors are above 0")
        return {level: float(given.get(level, 1.0)) for level in range(1, n + 1)}


def pays(when: Paid, outcome: Outcome) -> bool:
    """Whether a bonus with that condition is paid."""
    return when == "always" or (when == "parsed" and outcome != "silent") or (when == "exact" and outcome == "exact")


def _shipped() -> dict[str, Traversable]:
    folder = resources.files("esi_triage.reward") / "designs"
    files = sorted(folder.iterdir(), key=lambda f: f.name)
    return {f.name.removesuffix(".toml"): f for f in files if f.name.endswith(".toml")}


def design_names() -> list[str]:
    """The names of the designs that ship with the package."""
    return list(_shipped())


def load_design(name_or_file: str) -> Design:
    """The shipped design of that name, or the design in that TOML file. Raises InputError, naming file and field."""
    file: Traversable | Path | None = _shipped().get(name_or_file)
    if file is None:
        file = Path(name_or_file)
        if not file.is_file():
            known = ", ".join(design_names())
            raise InputError(f"reward design {name_or_file!r}: no such design or file. Shipped designs: {known}.")
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{name_or_file}: not a TOML file: {error}.") from None
    return validated(Design, values, where=name_or_file)
