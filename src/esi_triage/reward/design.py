"""A reward design is data: a table of gold by predicted level, what silence costs, and the bonuses with their terms."""

import math
import tomllib
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ..errors import InputError, validated

Paid = Literal["always", "parsed", "exact"]
N_LEVELS = 5


class Design(BaseModel):
    """One reward design. `table[g - 1][p - 1]` is the reward for predicting level p where the gold level is g."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    about: str = Field("", description="what the design is and what became of it")
    table: tuple[tuple[float, ...], ...] = Field(description="5×5, gold in rows, predicted 1 to 5 in columns")
    no_parse: float = Field(description="reward where no level can be read from the answer")
    format_bonus: float = Field(0.0, description="paid for the format")
    format_means: Literal["sections", "strict"] = Field("sections", description="three headings in order, or all of it")
    format_paid: Paid = Field("parsed", description="to every text, to every parsed answer, or to exact ones only")
    length_bonus: float = Field(0.0, description="paid for brevity")
    length_limit: int = Field(300, gt=0, description="tokens; longer answers earn no length bonus")
    length_scale: Literal["linear", "flat"] = Field("linear", description="falls to 0 at the limit, or constant")
    length_paid: Paid = Field("parsed", description="as format_paid")
    oversample: dict[int, float] = Field(default_factory=dict, description="how often a gold level is drawn, default 1")

    @field_validator("table")
    @classmethod
    def _five_by_five(cls, table: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
        shape = [len(row) for row in table]
        if shape != [N_LEVELS] * N_LEVELS:
            raise ValueError(f"the table must be 5×5, one row per gold level; this one has rows of {shape} cells")
        if not all(math.isfinite(cell) for row in table for cell in row):
            raise ValueError("every cell of the table must be a finite number")
        return table

    @field_validator("no_parse", "format_bonus", "length_bonus")
    @classmethod
    def _finite(cls, value: float) -> float:
        if not math.isfinite(value):
            raise ValueError("must be a finite number")
        return value

    @field_validator("oversample")
    @classmethod
    def _every_level(cls, given: dict[int, float]) -> dict[int, float]:
        for level, factor in given.items():
            if level not in range(1, N_LEVELS + 1) or not (math.isfinite(factor) and factor > 0):
                raise ValueError(f"oversample.{level} = {factor}: levels are 1 to 5 and factors are above 0")
        return {level: float(given.get(level, 1.0)) for level in range(1, N_LEVELS + 1)}


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
    values.setdefault("oversample", {})  # so that the validator fills in the levels that are not named
    return validated(Design, values, where=name_or_file)
