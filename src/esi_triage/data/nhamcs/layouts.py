"""What the releases of each year look like: columns and record places (`layouts/`), codes and addresses (TOML)."""

import tomllib
from functools import cache
from importlib import resources
from typing import Any

from pydantic import BaseModel, ConfigDict

from ...errors import InputError

KEYS = ("HOSPCODE", "PATCODE")
Places = dict[str, tuple[int, int]]


class FixedWidth(BaseModel):
    """First and last place (from 1) of each column in a record, and of the keys by year."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    places: Places
    keys: dict[int, Places]


class Layout(BaseModel):
    """The releases of a family of years (first and last): which columns may be read, and as what.

    `required` and `optional` are the allow-list of what can become part of a case; `history` enters a narrative only
    where it is asked for; `outcomes` go to the outcomes file alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    years: tuple[int, int]
    refused: str | None = None
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    imputed_flag: tuple[str, ...] = ()
    top_age: dict[int, int] = {}
    fixed_width: FixedWidth | None = None

    def readable(self) -> tuple[str, ...]:
        """Every column that may be read of a release of these years."""
        return ("YEAR", *self.required, *self.optional, *self.history, *self.outcomes, *self.imputed_flag)


@cache
def layouts() -> tuple[Layout, ...]:
    """The families of years, in order."""
    folder = resources.files("esi_triage.data.nhamcs") / "layouts"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    return tuple(Layout.model_validate(tomllib.loads(file.read_text(encoding="utf-8"))) for file in files)


def layout_of(year: int, file: object) -> Layout:
    """The layout of a year. Raises InputError, with the reason, for a year that cannot be used; `file` names it."""
    found = next((layout for layout in layouts() if layout.years[0] <= year <= layout.years[1]), None)
    if found is None:
        known = [layout.years for layout in layouts() if not layout.refused]
        raise InputError(
            f"{file}: the layout of {year} is not known; known are {known[0][0]} to {known[-1][1]}. "
            "A new year is a file in data/nhamcs/layouts."
        )
    if found.refused:
        raise InputError(f"{file}: the release of {year} cannot be used: {found.refused}. Leave it out.")
    return found


@cache
def written(name: str) -> dict[str, Any]:
    """codes.toml, circumstances.toml or releases.toml, by its first name."""
    file = resources.files("esi_triage.data.nhamcs") / f"{name}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))
