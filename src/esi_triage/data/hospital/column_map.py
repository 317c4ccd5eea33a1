"""What a hospital's own columns mean: the map that `esi data build table --map` reads (map.toml).

Only mapped columns are read, and only [columns] can reach a case: map nothing there that is known only after triage.
[groups] and [outcomes] are for evaluation alone (`evaluation_columns`).
"""

import difflib
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from ...errors import InputError, validated
from ...esi import Arrival, GoldSource, Licence, Sex, Split
from ...esi.case import Scale
from ...reading import read_toml

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
    gold: str | None = Field(default=None, description="the level, 1 to 5; [codes.gold]")
    group: str | None = Field(default=None, description="the hospital-year: what resampling never separates")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.blood_pressure and (self.sbp or self.dbp):
            raise ValueError("map blood_pressure, or sbp and dbp, not both")
        if self.birth_date and (self.age or not self.arrival_time):
            raise ValueError("map birth_date together with arrival_time and without age")
        return self


class Units(BaseModel):
    """The unit of each column that can have several."""

    model_config = _STRICT

    temperature: Literal["auto", "C", "F", "0.1 C", "0.1 F"] = Field(
        default="auto", description='"0.1 F": tenths of a degree, 986 for 98.6 °F'
    )
    spo2: Literal["%", "fraction"] = "%"
    age: Literal["years", "months", "days"] = "years"


@cache
def known() -> dict[str, Any]:
    """columns.toml: the names and codes that hospitals use, and the words of what is known only after triage."""
    file = resources.files("esi_triage.data.hospital") / "columns.toml"
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


class ComplaintFlags(BaseModel):
    """A complaint in columns of 0 and 1 whose names begin with `prefix`; `words` says them, "" says nothing."""

    model_config = _STRICT

    prefix: str = Field(min_length=1)
    words: dict[str, str] = {}


class OutcomeColumn(BaseModel):
    """A column of what happened after triage, and what is typed for yes and no, case aside."""

    model_config = _STRICT

    column: str
    true: list[str] = Field(default_factory=lambda: known()["codes"]["outcome"]["true"])
    false: list[str] = Field(default_factory=lambda: known()["codes"]["outcome"]["false"])

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, given: Any) -> Any:
        return {"column": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if both := {code.casefold() for code in self.true} & {code.casefold() for code in self.false}:
            raise ValueError(f"the code {min(both)!r} stands for true and for false")
        return self


class ColumnMap(BaseModel):
    """A whole map.toml. Unknown keys are errors."""

    model_config = _STRICT

    source: str = Field(min_length=1, description="names the table; case_ids begin with it")
    licence: Licence = "credentialed"
    gold_source: GoldSource = "nurse"
    scale: Scale = Field(default="esi", description="the triage scale of gold")
    date_formats: tuple[str, ...] = Field(default=(), description="as in strptime; ISO 8601 is always read")
    columns: Columns
    units: Units = Units()
    codes: Codes = Codes()
    missing: dict[str, list[str]] = Field(default={}, description="codes that mean missing, by field")
    groups: dict[str, str] = Field(default={}, description="columns to compare patients by; for evaluation alone")
    outcomes: dict[str, OutcomeColumn] = Field(default={}, description="0/1 columns; for evaluation alone")

    complaint_flags: ComplaintFlags | None = Field(default=None, description="instead of columns.chief_complaint")

    @model_validator(mode="after")
    def _told(self) -> Self:
        if not (self.columns.text or self.columns.chief_complaint or self.complaint_flags):
            raise ValueError("map text or chief_complaint; without either there is no case to tell")
        if self.columns.chief_complaint and self.complaint_flags:
            raise ValueError("map columns.chief_complaint or complaint_flags, not both")
        return self

    def with_complaint(self, column: str) -> Self:
        """The map in which `column` holds what the flags say."""
        told = self.columns.model_copy(update={"chief_complaint": column})
        return self.model_copy(update={"columns": told, "complaint_flags": None})

    @model_validator(mode="after")
    def _apart(self) -> Self:
        for name, outcome in self.outcomes.items():
            field = next((field for field, column in self.mapped().items() if column == outcome.column), None)
            if field:
                raise ValueError(f"outcomes.{name} and columns.{field} are one column; an outcome never enters a case")
        if "case_id" in self.groups or "case_id" in self.outcomes:
            raise ValueError("case_id cannot name a group or an outcome; choose another name")
        for name in self.missing:
            if name not in {place.split(".")[1] for place in self.places()}:
                raise ValueError(f"missing.{name}: no column, group or outcome of that name is mapped")
        return self

    @model_validator(mode="after")
    def _no_flag_is_mapped(self) -> Self:
        """A mapped column that begins as the flags do would be told as a complaint: an outcome, or the level."""
        prefix = self.complaint_flags and self.complaint_flags.prefix
        for place, column in self.places().items():
            if prefix and column.startswith(prefix):
                raise ValueError(
                    f"{place}: column {column!r} begins with complaint_flags.prefix {prefix!r} and would be told as a "
                    "complaint; rename the column in the table, or give a longer prefix"
                )
        return self

    def mapped(self) -> dict[str, str]:
        """Field to column, for the columns that are mapped."""
        return self.columns.model_dump(exclude_none=True)

    def places(self) -> dict[str, str]:
        """Every column that is read, by its place in the map, e.g. `columns.sex` or `outcomes.died`."""
        return {
            **{f"columns.{field}": column for field, column in self.mapped().items()},
            **{f"groups.{name}": column for name, column in self.groups.items()},
            **{f"outcomes.{name}": outcome.column for name, outcome in self.outcomes.items()},
        }


def load_map(path: Path) -> ColumnMap:
    """Read a map, or one that comes with the package, by its name (`SHIPPED`).

    Raises InputError for a file that is no TOML, for an unknown key and for a wrong value.
    """
    shipped = _MAPS / f"{path}.toml"
    values = read_toml(shipped if str(path) in SHIPPED else path, "`esi data map --guess FILE` writes a map.")
    keys = [name for name in ColumnMap.model_fields if name not in ("columns", "units", "codes")]
    keys += [f"{part}.{name}" for part, model in _PARTS.items() for name in model.model_fields]
    return validated(ColumnMap, values, path, known=keys)


SHIPPED = ("hospital-triage",)
_MAPS = resources.files("esi_triage.data.hospital") / "maps"
_PARTS: dict[str, type[BaseModel]] = {"columns": Columns, "units": Units, "codes": Codes}


def check_columns(wanted: ColumnMap, present: Sequence[str], where: Path) -> None:
    """Raises InputError for a mapped column that the file lacks, naming the closest one that it has."""
    for place, column in wanted.places().items():
        if column not in present:
            close = difflib.get_close_matches(column.casefold(), [name.casefold() for name in present], n=1, cutoff=0.5)
            meant = next((f" Did you mean '{name}'?" for name in present if [name.casefold()] == close), "")
            raise InputError(
                f"{where}: there is no column '{column}' ({place} of the map).{meant} "
                f"Its columns are: {', '.join(present)}."
            )
