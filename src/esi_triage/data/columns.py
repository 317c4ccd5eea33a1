"""What a hospital's own columns mean: the map that `esi data build table --map` reads (map.toml).

Only mapped columns are read, so the map is also the allow-list of what can reach a narrative: map nothing that is known
only after triage.
"""

import difflib
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from ..errors import InputError, validated
from ..esi import Arrival, GoldSource, Licence, Sex, Split

_STRICT = ConfigDict(frozen=True, extra="forbid")


class Columns(BaseModel):
    """The name of each column in the hospital's file; what is left out is not recorded."""

    model_config = _STRICT

    stay_id: str | None = Field(default=None, description="the visit; must be unique")
    subject_id: str | None = Field(default=None, description="the patient; needed to split by patient")
    split: str | None = Field(default=None, description="train, tuning or held_out, where you have your own split")
    text: str | None = Field(default=None, description="the triage note; without it one is written from the fields")
    chief_complaint: str | None = None
    age: str | None = Field(default=None, description="a number; [units] age")
    birth_date: str | None = Field(default=None, description="instead of age, with arrival_time; date_formats")
    arrival_time: str | None = None
    sex: str | None = Field(default=None, description="[codes.sex]")
    arrival: str | None = Field(default=None, description="[codes.arrival]")
    temperature: str | None = Field(default=None, description="[units] temperature")
    heart_rate: str | None = None
    resp_rate: str | None = None
    spo2: str | None = Field(default=None, description="[units] spo2")
    sbp: str | None = None
    dbp: str | None = None
    blood_pressure: str | None = Field(default=None, description="120/80 in one column, instead of sbp and dbp")
    pain: str | None = None
    gold: str | None = Field(default=None, description="the ESI level; [codes.gold]")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.text is None and self.chief_complaint is None:
            raise ValueError("map text or chief_complaint; without either there is no case to tell")
        if self.blood_pressure and (self.sbp or self.dbp):
            raise ValueError("map blood_pressure, or sbp and dbp, not both")
        if self.birth_date and (self.age or not self.arrival_time):
            raise ValueError("map birth_date together with arrival_time and without age")
        return self


class Units(BaseModel):
    """The unit of each column that can have several."""

    model_config = _STRICT

    temperature: Literal["auto", "C", "F"] = "auto"
    spo2: Literal["%", "fraction"] = "%"
    age: Literal["years", "months", "days"] = "years"


@cache
def known() -> dict[str, Any]:
    """columns.toml: the names and codes that hospitals use, and the words of what is known only after triage."""
    file = resources.files("esi_triage.data") / "columns.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


class Codes(BaseModel):
    """What is typed for each value, case aside. A value that is left out keeps its usual codes (columns.toml)."""

    model_config = _STRICT

    sex: dict[Sex, list[str]] = Field(default={}, validate_default=True)
    arrival: dict[Arrival, list[str]] = Field(default={}, validate_default=True)
    gold: dict[Literal["1", "2", "3", "4", "5"], list[str]] = Field(default={}, validate_default=True)
    split: dict[Split, list[str]] = Field(default={}, validate_default=True)

    @field_validator("*")
    @classmethod
    def _complete(cls, given: dict[str, list[str]], about: ValidationInfo) -> dict[str, list[str]]:
        taken = [code.casefold() for codes in given.values() for code in codes]
        twice = next((code for code in taken if taken.count(code) > 1), None)
        if twice is not None:
            raise ValueError(f"the code {twice!r} stands twice")
        usual: dict[str, list[str]] = known()["codes"][about.field_name]
        free = {value: [code for code in codes if code.casefold() not in taken] for value, codes in usual.items()}
        return free | given


class ColumnMap(BaseModel):
    """A whole map.toml. Unknown keys are errors."""

    model_config = _STRICT

    source: str = Field(min_length=1, description="names the table; case_ids begin with it")
    licence: Licence = "credentialed"
    gold_source: GoldSource = "nurse"
    date_formats: tuple[str, ...] = Field(default=(), description="as in strptime; ISO 8601 is always read")
    columns: Columns
    units: Units = Units()
    codes: Codes = Codes()

    def mapped(self) -> dict[str, str]:
        """Field to column, for the columns that are mapped."""
        return self.columns.model_dump(exclude_none=True)


def load_map(path: Path) -> ColumnMap:
    """Read a map. Raises InputError for a file that is no TOML, for an unknown key and for a wrong value."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: not a readable map ({error}); `esi data map --guess FILE` writes one.") from None
    keys = [name for name in ColumnMap.model_fields if name not in ("columns", "units", "codes")]
    keys += [f"{part}.{name}" for part, model in _PARTS.items() for name in model.model_fields]
    return validated(ColumnMap, values, path, known=keys)


_PARTS: dict[str, type[BaseModel]] = {"columns": Columns, "units": Units, "codes": Codes}


def check_columns(wanted: ColumnMap, present: Sequence[str], where: Path) -> None:
    """Raises InputError for a mapped column that the file lacks, naming the closest one that it has."""
    for field, column in wanted.mapped().items():
        if column not in present:
            close = difflib.get_close_matches(column.casefold(), [name.casefold() for name in present], n=1, cutoff=0.5)
            meant = next((f" Did you mean '{name}'?" for name in present if [name.casefold()] == close), "")
            raise InputError(
                f"{where}: there is no column '{column}' (columns.{field} of the map).{meant} "
                f"Its columns are: {', '.join(present)}."
            )
