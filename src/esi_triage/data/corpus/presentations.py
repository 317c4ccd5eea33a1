"""What patients come with: presentations/*.toml and contrasts.toml, checked when they are read.

A presentation can be several pictures at several levels; the gold is the picture's. presentations/cardiac.toml explains
the keys.
"""

import tomllib
from collections import Counter
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ...errors import validated
from ...esi import Sex

Profile = Literal[
    "normal",
    "fever",
    "mild-fever",
    "tachycardic",
    "fast-breathing",
    "hypoxic",
    "shock",
    "hypotensive",
    "bradycardic",
    "hypertensive",
    "hypothermic",
    "slow-breathing",
]


class Picture(BaseModel):
    """One way in which a presentation presents, and the level that it has by the handbook."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: int = Field(ge=1, le=5)
    weight: float = Field(gt=0)
    clues: tuple[str, ...] = Field(min_length=1)
    said: tuple[str, ...] = Field(default=(), description="how the patient, or who came along, puts it")
    pain: tuple[int, int] | None = Field(default=None, description="where it differs from the presentation's")
    reason: str
    rule: str
    vitals: Profile
    resources: tuple[str, ...] = ()


class Presentation(BaseModel):
    """What patients come with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    core: bool = Field(default=False, description="one of the twenty on which the tiny base works")
    entry: str | None = Field(default=None, description="the entry of the engine's catalogue that covers it")
    complaint: tuple[str, ...] = Field(min_length=1)
    said: tuple[str, ...] = Field(default=(), description="the complaint in the patient's own words")
    age: tuple[float, float]
    sex: Sex | None = None
    pain: tuple[int, int] | None = None
    history: tuple[str, ...] = ()
    picture: tuple[Picture, ...] = Field(min_length=1)

    @property
    def usual_level(self) -> int | None:
        """The level of most of its patients, which a note without any clue has; null where two levels are as common."""
        total: Counter[int] = Counter()
        for picture in self.picture:
            total[picture.level] += picture.weight  # pyright: ignore[reportArgumentType]
        (level, most), *others = total.most_common(2)
        return None if others and others[0][1] == most else level


@cache
def presentations() -> tuple[Presentation, ...]:
    """All presentations that ship with the package, in file order. Raises InputError, naming file and presentation."""
    folder = resources.files("esi_triage.data.corpus") / "presentations"
    files = [file for file in folder.iterdir() if file.name.endswith(".toml")]
    return tuple(found for file in sorted(files, key=lambda f: f.name) for found in _read(file))


@cache
def contrasts() -> tuple[Presentation, ...]:
    """Presentations of two pictures: clue k of one is clue k of the other with no more changed than the level needs."""
    return tuple(_read(resources.files("esi_triage.data.corpus") / "contrasts.toml"))


def _read(file: Traversable) -> list[Presentation]:
    rows = tomllib.loads(file.read_text(encoding="utf-8"))["presentation"]
    return [validated(Presentation, row, where=f"{file.name}, {row.get('name')}") for row in rows]
