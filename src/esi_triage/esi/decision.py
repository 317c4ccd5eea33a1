"""A decision with its reasons: the level, the levels still possible, and the four decision points."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from .findings import Evidence

Answer = Literal["yes", "no", "undetermined"]
Version = Literal["v5", "v4"]
Point = Literal["A", "B", "C", "D"]


@dataclass(frozen=True)
class Step:
    """One decision point: its answer, the reason in words and the text it rests on.

    A: needs a life-saving intervention now. B: high risk, newly confused, severe pain or distress. C: two or more
    kinds of resource. D: vital signs that raise the level. A point that was never reached is "undetermined".
    """

    point: Point
    answer: Answer
    reason: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Decision:
    """An ESI level with its reasons.

    `level` is the best single answer, 1 to 5; `possible` holds every level that the narrative leaves open and always
    contains `level`. `resources` are the kinds of resource expected (usual practice), `version` the handbook.
    `unread` are the clauses that were not understood; they leave more levels possible.
    """

    level: int
    possible: frozenset[int]
    steps: tuple[Step, ...]
    resources: tuple[str, ...] = ()
    version: Version = "v5"
    unread: tuple[Evidence, ...] = ()
    warnings: tuple[str, ...] = ()

    def step(self, point: Point) -> Step:
        """The decision point of that letter."""
        return next(step for step in self.steps if step.point == point)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; `possible` is sorted."""
        plain = asdict(self)
        plain["possible"] = sorted(self.possible)
        return plain
