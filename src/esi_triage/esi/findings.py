"""What was read from a narrative: every finding with its status and the span of text it rests on."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from .case import Arrival, Sex
from .vitals import Vitals

Status = Literal["present", "possible", "baseline", "past", "planned", "hypothetical", "family", "absent"]
"""How a mention stands to this patient now. The first three are true of the patient today; the rest are not."""

STATUSES: tuple[Status, ...] = (
    "present",
    "possible",
    "baseline",
    "past",
    "planned",
    "hypothetical",
    "family",
    "absent",
)


@dataclass(frozen=True)
class Evidence:
    """A span of the narrative: `narrative[start:end] == text` (characters, half open)."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Finding:
    """One catalogue entry met in the narrative."""

    name: str
    label: str
    status: Status
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Findings:
    """All that a narrative says, as far as the catalogue can read it. Null means "not recorded", never "normal".

    `unread` are the clauses that gave no finding: a caller may hand the note over to somebody who understands them.
    """

    age_months: float | None = None
    sex: Sex | None = None
    arrival: Arrival | None = None
    vitals: Vitals = field(default_factory=Vitals)
    gcs: float | None = None
    glucose_mg_dl: float | None = None
    items: tuple[Finding, ...] = ()
    measured: dict[str, Evidence] = field(default_factory=dict)
    unread: tuple[Evidence, ...] = ()
    warnings: tuple[str, ...] = ()

    def with_status(self, *statuses: Status) -> Iterator[Finding]:
        """The findings whose status is one of `statuses`, in order of the text."""
        return (item for item in self.items if item.status in statuses)

    def get(self, name: str) -> Finding | None:
        """The finding of that catalogue name, whatever its status; null where the narrative does not mention it."""
        return next((item for item in self.items if item.name == name), None)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        plain = asdict(self)
        plain["vitals"] = self.vitals.model_dump()
        return plain
