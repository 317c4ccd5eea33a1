"""What happened after triage: a file of its own beside a case table, `NAME.outcomes.parquet`, keyed by case_id.

It is a second truth beside the nurse's level, and never a part of a case: only evaluation and the training of a model
of outcomes read it. What an audit compares and no model may see (race, region) lies in `NAME.groups.parquet`.
"""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field

from ..atomic_files import whole
from ..errors import InputError
from .case_table import BadRow, read_rows


class VisitOutcomes(BaseModel):
    """One row. True, false, or null where nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case_id: str = Field(min_length=1, description="the case of the case table")
    critical: bool | None = Field(default=None, description="critical care or death")
    critical_care: bool | None = Field(default=None, description="admitted to critical care")
    died: bool | None = Field(default=None, description="dead on arrival, died in the department or in hospital")
    admitted: bool | None = Field(default=None, description="admitted to this hospital")
    transferred: bool | None = Field(default=None, description="transferred to another hospital")
    observation: bool | None = Field(default=None, description="observation stay, whatever followed")
    left_without_being_seen: bool | None = None


OUTCOMES_SCHEMA = pa.schema(
    [
        pa.field(
            name,
            pa.string() if name == "case_id" else pa.bool_(),
            nullable=not about.is_required(),
            metadata={"about": about.description or ""},
        )
        for name, about in VisitOutcomes.model_fields.items()
    ]
)


def outcomes_path(cases: Path) -> Path:
    """Where the outcomes of a case table lie."""
    return cases.with_name(f"{cases.stem}.outcomes.parquet")


def groups_path(cases: Path) -> Path:
    """Where the groups of patients lie that an audit compares: case_id, and a column of text for each grouping."""
    return cases.with_name(f"{cases.stem}.groups.parquet")


def write_outcomes(table: pa.Table, path: Path) -> None:
    """Write a table with the columns of `VisitOutcomes`, whole or not at all."""
    with whole(path) as temporary:
        pq.write_table(table.select(OUTCOMES_SCHEMA.names).cast(OUTCOMES_SCHEMA), temporary, compression="zstd")


def read_outcomes(path: Path) -> dict[str, dict[str, Any]]:
    """Each case's outcomes by case_id. Raises InputError for a file that cannot be read, or lacks case_id."""
    rows = list(read_rows(path, OUTCOMES_SCHEMA.names))
    if bad := next((row for row in rows if isinstance(row, BadRow)), None):
        raise InputError(f"{path}: row {bad.row}: {bad.reason}; correct it.")
    named = [{k: v for k, v in row.items() if k in OUTCOMES_SCHEMA.names} for row in rows if isinstance(row, dict)]
    if not all("case_id" in row for row in named):
        raise InputError(f"{path}: column 'case_id' is missing; outcomes are found by it.")
    found = {str(row["case_id"]): row for row in named if row["case_id"] is not None}
    if len(found) < len(rows):
        raise InputError(f"{path}: a case_id occurs twice or is blank; outcomes have one row a case.")
    return found
