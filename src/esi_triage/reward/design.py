"""A reward design is data: a table of gold by predicted level, the reward without an answer, and bonuses with terms."""

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from ..errors import InputError, validated
from ..reading import read_toml

LARGEST = 1_000_000
"""The largest reward that a design may pay; beyond it sums of rewards lose the small ones, and then overflow."""

Reward = Annotated[float, Field(ge=-LARGEST, le=LARGEST, allow_inf_nan=False)]
Paid = Literal["always", "parsed", "exact"]
Outcome = Literal["exact", "wrong", "no answer"]


class Design(BaseModel):
    """One reward design over n ordered levels. `table[g - 1][p - 1]` is the reward for predicting p where gold is g."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    about: str = Field(default="", description="what the design is and what became of it")
    table: tuple[tuple[Reward, ...], ...] = Field(description="n×n, gold in rows, predicted 1 to n in columns")
    labels: tuple[str, ...] = Field(default=(), description="names of the levels, in order; default: their numbers")
    urgent: Literal["first", "last", "neither"] = Field(default="first", description="which end is the most urgent")
    scoring: Literal["table", "ranked-probability"] = Field(
        default="table", description="the level's cell, or a proper score of the policy's probabilities of the levels"
    )
    no_parse: Reward = Field(description="reward where no level can be read from the answer")
    format_bonus: Reward = Field(default=0.0, description="paid for the format")
    format_means: Literal["sections", "strict"] = Field(
        default="sections", description="three headings in order, or all of it"
    )
    format_paid: Paid = Field(
        default="parsed", description="to every text, to every parsed answer, or to exact ones only"
    )
    length_bonus: Reward = Field(default=0.0, description="paid for brevity")
    length_limit: int = Field(default=300, gt=0, description="tokens; longer answers earn no length bonus")
    length_scale: Literal["linear", "flat"] = Field(
        default="linear", description="falls to 0 at the limit, or constant"
    )
    length_paid: Paid = Field(default="parsed", description="as format_paid")
    steps_bonus: Reward = Field(
        default=0.0, description="paid at most for extraction and steps that hold (five levels)"
    )
    steps_means: Literal["confirmed", "consistent"] = Field(
        default="confirmed", description="the note and the engine bear them out, or nothing contradicts them"
    )
    steps_paid: Paid = Field(default="exact", description="as format_paid; an answer without a level earns none")
    oversample: dict[int, float] = Field(
        default_factory=dict, validate_default=True, description="how often a gold level is drawn, default 1"
    )

    @property
    def levels(self) -> range:
        """1 to n."""
        return range(1, len(self.table) + 1)

    @property
    def scores_probabilities(self) -> bool:
        """Whether the answer's part needs the policy's probabilities; the table then says what certain answers earn."""
        return self.scoring == "ranked-probability"

    @property
    def step(self) -> float:
        """What an answer loses with each level that it is off, where all rows say the same: a ranked score's unit."""
        return self.table[0][0] - self.table[0][1]

    @property
    def rewards(self) -> np.ndarray:
        """(n, n + 1): gold in rows; predicted 1 to n, then no answer, in columns. Without bonuses."""
        return np.column_stack([np.array(self.table), np.full(len(self.table), self.no_parse)])

    def label(self, level: int) -> str:
        """The level's name; an unlabelled table of five levels is taken for ESI's."""
        if self.labels:
            return self.labels[level - 1]
        return f"ESI-{level}" if len(self.table) == 5 else f"level {level}"

    def level_of(self, value: object) -> int | None:
        """The level that a label names, or a number from 1 where no label is a number; None where there is no such.

        With `labels = ["0", "1", …]` a 0 is the first level.
        """
        if str(value) in self.labels:
            return self.labels.index(str(value)) + 1
        named = any(label.isdigit() for label in self.labels)
        return int(value) if not named and isinstance(value, int | np.integer) and value in self.levels else None

    def bonus(self, outcome: Outcome, tokens: int | None = None) -> float:
        """What an answer in the full format, all of its steps confirmed, earns beyond the table.

        No answer has no format and can earn brevity only. `tokens` is its length, by default half the limit.
        """
        length = self.length_limit // 2 if tokens is None else tokens
        brief = self.brevity(length) if pays(self.length_paid, outcome) else 0.0
        if outcome == "no answer":
            return brief
        formatted = self.format_bonus if pays(self.format_paid, outcome) else 0.0
        return formatted + (self.steps_bonus if pays(self.steps_paid, outcome) else 0.0) + brief

    def brevity(self, tokens: int) -> float:
        """The length bonus of a text of `tokens`, where it is paid."""
        if tokens > self.length_limit:
            return 0.0
        return self.length_bonus * (1.0 if self.length_scale == "flat" else 1.0 - tokens / self.length_limit)

    def with_bonuses(self, tokens: int | None = None) -> np.ndarray:
        """`rewards` plus the bonus of each outcome: what a trainer sees of well-formed answers of that length."""
        n = len(self.table)
        bonuses = np.full((n, n + 1), self.bonus("wrong", tokens))
        np.fill_diagonal(bonuses, self.bonus("exact", tokens))
        bonuses[:, n] = self.bonus("no answer", tokens)
        return self.rewards + bonuses

    @field_validator("table")
    @classmethod
    def _square(cls, table: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
        shape = [len(row) for row in table]
        if len(table) < 2 or shape != [len(table)] * len(table):
            raise ValueError(f"the table must be square, one row per gold level (two or more); it has rows of {shape}")
        return table

    @field_validator("oversample")
    @classmethod
    def _every_level(cls, given: dict[int, float], info: ValidationInfo) -> dict[int, float]:
        n = len(info.data.get("table", ()))
        if not n:  # the table's own error comes first
            return given
        for level, factor in given.items():
            if level not in range(1, n + 1) or not 0 < factor <= LARGEST:
                raise ValueError(
                    f"oversample.{level} = {factor}: levels are 1 to {n}; factors are above 0 and at most {LARGEST:,}"
                )
        return {level: float(given.get(level, 1.0)) for level in range(1, n + 1)}

    @model_validator(mode="after")
    def _whole(self) -> "Design":
        n, names = len(self.table), self.labels
        if names and (len(names) != n or len(set(names)) != n or not all(names)):
            raise ValueError(f"labels = {list(names)}: give {n} different names, one for each level, or none")
        if self.steps_bonus and n != 5:
            raise ValueError(
                f"steps_bonus = {self.steps_bonus}: steps are those of ESI, which has five levels; set it to 0"
            )
        if self.scores_probabilities:
            self._check_proper()
        return self

    def _check_proper(self) -> None:
        distance = np.abs(np.subtract.outer(np.arange(len(self.table)), np.arange(len(self.table))))
        falls = np.array(self.table).diagonal()[:, None] - np.array(self.table)
        if len(self.table) != 5 or self.step <= 0 or not np.allclose(falls, self.step * distance):
            raise ValueError("scoring: a ranked score has five levels, and every level off costs the same in the table")
        bonuses = ((self.format_bonus, self.format_paid), (self.length_bonus, self.length_paid),
                   (self.steps_bonus, self.steps_paid))  # fmt: skip
        if any(bonus and when == "exact" for bonus, when in bonuses):
            raise ValueError(
                "scoring: bonuses for exact answers only would make a ranked score improper; pay parsed ones"
            )


def pays(when: Paid, outcome: Outcome) -> bool:
    """Whether a bonus with that condition is paid."""
    return when == "always" or (when == "parsed" and outcome != "no answer") or (when == "exact" and outcome == "exact")


def _shipped() -> dict[str, Traversable]:
    folder = resources.files("esi_triage.reward") / "designs"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return {file.name.removesuffix(".toml"): file for file in files if file.name.endswith(".toml")}


def design_names() -> list[str]:
    """The names of the designs that ship with the package."""
    return list(_shipped())


def load_design(name_or_file: str) -> Design:
    """The shipped design of that name, or the design in that TOML file. Raises InputError, naming file and field."""
    file = _shipped().get(name_or_file, Path(name_or_file))
    if not file.is_file():
        known = ", ".join(design_names())
        raise InputError(f"reward design {name_or_file!r}: no such design or file. Shipped designs: {known}.")
    return validated(Design, read_toml(file), where=name_or_file)
