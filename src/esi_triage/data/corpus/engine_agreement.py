"""Where the gold of the open corpus and the rules engine part: listed, so that one or the other can be put right.

The engine counts only where it is decided: one level alone is possible. A disagreement is a fault of the presentation,
a fault of the engine's reading, or a note that leaves out what decides; only the last is meant.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from ...esi import Case, assess
from ..targets import judged_steps, reference_answer


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One case: what its scenario says, what the engine says, and the words that it rests on."""

    case_id: str
    scenario: str
    gold: int
    engine: int
    reason: str
    evidence: tuple[str, ...]
    clue_told: bool
    narrative: str


@dataclass
class Agreement:
    """Counts over labelled cases.

    `decided` are those for which the engine holds one level alone possible, `within_possible` those whose gold it holds
    possible, `judged` those whose reference answer has a step written as the nurse's judgement.
    """

    cases: int = 0
    decided: int = 0
    within_possible: int = 0
    judged: int = 0
    disagreements: list[Disagreement] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """The share of decided cases in which the engine's level is the gold; 1.0 where none is decided."""
        return 1 - len(self.disagreements) / self.decided if self.decided else 1.0

    def by_scenario(self) -> list[tuple[str, int]]:
        """`scenario, gold → engine` and how often, the most frequent first."""
        named = (f"{d.scenario}, {d.gold} → {d.engine}" for d in self.disagreements)
        return Counter(named).most_common()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            **{"cases": self.cases, "decided": self.decided, "within_possible": self.within_possible},
            "judged": self.judged,
            **{"agreement": round(self.rate, 4), "by_picture": dict(self.by_scenario())},
            "disagreements": [asdict(disagreement) for disagreement in self.disagreements],
        }


def agreement(cases: Iterable[Case]) -> Agreement:
    """Hold the gold of every labelled case against the engine's reading of its narrative (some 3 ms a case)."""
    found = Agreement()
    for case in cases:
        if case.gold is None:
            continue
        decision = assess(case.narrative)
        found.cases += 1
        found.judged += judged_steps(reference_answer(case, decision)) > 0
        found.decided += len(decision.possible) == 1
        found.within_possible += case.gold in decision.possible
        if len(decision.possible) == 1 and decision.level != case.gold:
            deciding = next(step for step in decision.steps if step.answer == "yes" or step.point == "C")
            found.disagreements.append(
                Disagreement(
                    case_id=case.case_id,
                    scenario=case.scenario or "",
                    gold=case.gold,
                    engine=decision.level,
                    reason=f"{deciding.point}: {deciding.reason}",
                    evidence=tuple(span.text for span in deciding.evidence),
                    clue_told=bool(case.red_flags),
                    narrative=case.narrative,
                )
            )
    return found
