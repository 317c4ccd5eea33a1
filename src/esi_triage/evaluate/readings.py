"""What the ESI engine reads in each narrative, once, for everybody who asks: slices, steps and the rules baseline."""

from collections.abc import Sequence
from typing import NamedTuple

from ..esi import Decision, Findings, decide, read
from ..progress import bar


class Reading(NamedTuple):
    """The engine's findings in one narrative, and what it decides on them (handbook v5)."""

    findings: Findings
    decision: Decision


def read_all(narratives: Sequence[str]) -> list[Reading]:
    """A reading of each narrative, in order."""
    readings = []
    with bar("the engine reads", len(narratives), "case") as shown:
        for narrative in narratives:
            findings = read(narrative)
            readings.append(Reading(findings, decide(findings)))
            shown.update()
    return readings
