"""The five levels of the Emergency Severity Index."""

from enum import IntEnum


class Level(IntEnum):
    """An ESI acuity level: 1 is the most urgent (ESI handbook v5, ch. 2)."""

    IMMEDIATE = 1
    EMERGENT = 2
    URGENT = 3
    LESS_URGENT = 4
    NON_URGENT = 5

    @property
    def meaning(self) -> str:
        """One line that a person can read beside the number."""
        return _MEANING[self]


_MEANING = {
    Level.IMMEDIATE: "needs an immediate life-saving intervention",
    Level.EMERGENT: "high risk, newly confused, or in severe pain or distress",
    Level.URGENT: "stable, expected to need two or more resources",
    Level.LESS_URGENT: "stable, expected to need one resource",
    Level.NON_URGENT: "stable, expected to need no resource",
}

LEVELS: tuple[int, ...] = tuple(int(level) for level in Level)
