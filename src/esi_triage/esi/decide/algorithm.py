"""The ESI algorithm: findings to a decision with its trace.

The order is strict (v4 and v5, ch. 2): A yes is 1; B yes is 2; C counts kinds of resource, 0 is 5, 1 is 4 and two or
more is 3; D may raise what C left, in v4 only a 3, in v5 a 3, 4 or 5. Every point is yes, no or undetermined; an
undetermined point does not stop the walk, it keeps its level among the possible ones. So does text that was not
understood (rules/policy.toml, [unread]).
"""

from collections.abc import Iterable

from ..catalogue import rules
from ..decision import Decision, Point, Step, Version
from ..findings import Findings
from ..read.narrative_reader import read
from .patient_facts import PatientFacts, gather
from .points_a_b import number_alone, step_a, step_b, words_alone
from .points_c_d import calm, expected_resources, step_c, step_d

_VERSIONS = ("v5", "v4")


def decide(findings: Findings, version: Version = "v5") -> Decision:
    """Apply the ESI algorithm of handbook v5 (2023) or v4 (2012). Raises ValueError on another version."""
    if version not in _VERSIONS:
        raise ValueError(f"unknown handbook version {version!r}; expected one of {', '.join(_VERSIONS)}")
    facts = gather(findings, version)
    a = step_a(facts)
    if a.answer == "yes":
        return _decision(1, set(), (a, *_unreached("BCD", 1)), facts)
    b = step_b(facts)
    open_levels = {1} if a.answer == "undetermined" else set[int]()
    if b.answer == "yes":
        if calm(facts) and words_alone(facts):  # rules/policy.toml, [high_risk]
            open_levels |= set(range(3, max(step_c(expected_resources(facts))[2]) + 1))
        return _decision(2, open_levels, (a, b, *_unreached("CD", 2)), facts)
    resources = expected_resources(facts)
    c, candidate, candidates = step_c(resources)
    d, level = step_d(facts, candidate)
    open_levels |= {min(other, level) for other in candidates} if level < candidate else candidates
    if "undetermined" in (b.answer, d.answer):
        open_levels |= {2}
    return _decision(level, open_levels, (a, b, c, d), facts, tuple(sorted(resources.usual)))


def _decision(
    level: int, open_levels: set[int], steps: tuple[Step, ...], facts: PatientFacts, resources: tuple[str, ...] = ()
) -> Decision:
    findings = facts.findings
    possible = frozenset({level, *open_levels, *_left_open_by_unread(level, facts)})
    return Decision(level, possible, steps, resources, facts.version, findings.unread, findings.warnings)


def _left_open_by_unread(level: int, facts: PatientFacts) -> Iterable[int]:
    if not facts.findings.unread or (level <= 2 and number_alone(facts, level)):
        return ()
    return rules("policy")["unread"]["opens"][str(level)]


def _unreached(points: str, level: int) -> tuple[Step, ...]:
    named: dict[str, Point] = {"B": "B", "C": "C", "D": "D"}
    return tuple(
        Step(named[point], "undetermined", f"not reached: level {level} is decided before") for point in points
    )


def assess(narrative: str, version: Version = "v5") -> Decision:
    """Read a narrative and decide: `decide(read(narrative), version)`. Never raises on any text."""
    return decide(read(narrative), version)
