"""Hold an answer against its narrative, the ESI engine, and itself.

This is consistency, not proof of reasoning: it says whether what an answer states agrees with what can be read, not how
the model came to state it. What the engine leaves open is neither praised nor blamed.
"""

import re
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ..esi import Decision, assess
from .format import lines_of
from .parse import Answer

Verdict = Literal["agree", "disagree", "undetermined"]

# "T98.9" holds a number; "6/10" says no more than "pain 6".
_NUMBER = re.compile(r"(?:(?<![\w.])|(?<=\b[TPR]))(?<!\d/(?=10\b))\d+(?:\.\d+)?")
_NOT_PER_CENT = re.compile(_NUMBER.pattern + r"(?!\d|\.\d|\s*%)")
_ASIDE = re.compile(r"\([^)]*\)")
_ENGINE_S_ANSWER = re.compile(r"^\s*(?:yes|no)\s*:(?=\s*\d)")  # the rules write "no: 1 kind of resource expected"
# Only what stands before the reason: "No: retina clinic, onset unknown" is a claim.
_UNSTATED = re.compile(
    r"^\s*na\b|^[^:]*\b(?:not (?:reached|needed|applicable)|n/a|decided|skip\w*|undetermined|unknown|unclear)\b", re.I
)
LABEL_ONLY = "label-only"
"""What marks a step that the label rules: it leads to the level, and claims nothing about the note."""
_MARKS = (LABEL_ONLY, "judged so")  # the second in answers written before 0.2

_YES = re.compile(r"\s*(?:yes|y\b|positive|met\b|present)", re.IGNORECASE)
_NO = re.compile(r"\s*(?:no\b|none|negative|not met|absent)", re.IGNORECASE)
# how many kinds of resource a Step C line claims; the first pattern that matches decides
_COUNTS = (
    (2, re.compile(r"\b(?:two|three|four|many|several|multiple|more|[2-9])\b|≥\s*2|>\s*1", re.IGNORECASE)),
    (1, re.compile(r"\b(?:one|single|1)\b", re.IGNORECASE)),
    (0, re.compile(r"\b(?:no|none|zero|0)\b", re.IGNORECASE)),
)


@dataclass(frozen=True, slots=True)
class Verification:
    """What was checked. `steps` has a verdict for step_a to step_d; `unsupported` are numbers missing from the note.

    `label_only` names the steps that state no reason but the label: no reading of the note can contradict them, so they
    are "undetermined" in `steps`, and whoever reports consistency counts them beside it.
    """

    numbers: int
    unsupported: tuple[str, ...]
    steps: dict[str, Verdict]
    follows: Verdict
    label_only: tuple[str, ...] = ()

    @property
    def consistent(self) -> bool:
        """True when nothing disagrees and no number is unsupported."""
        return not self.unsupported and "disagree" not in (*self.steps.values(), self.follows)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "consistent": self.consistent}


def verify(narrative: str, answer: Answer, decision: Decision | None = None) -> Verification:
    """Check an answer: numbers against the narrative (°F and °C both count), steps against the engine and its level.

    `decision` is the engine's reading of the narrative, made here where it is not given. A step marked `LABEL_ONLY` is
    held against the level alone. Never raises on any text.
    """
    lines = lines_of(answer.text)
    extraction = " ".join(lines.get(name, "") for name in ("chief_complaint", "vital_signs", "red_flags"))
    stated = _NUMBER.findall(extraction)
    engine = decision or assess(narrative)
    claims = {name: _claim(lines.get(name, "")) for name in ("step_a", "step_b", "step_d")}
    count = _count(lines.get("step_c", ""))
    steps: dict[str, Verdict] = {
        name: _compare(claim, engine.step(point).answer)
        for (name, claim), point in zip(claims.items(), ("A", "B", "D"), strict=True)
    }
    steps["step_c"] = _compare_count(count, engine)
    label_only = tuple(sorted(name for name in steps if any(mark in lines.get(name, "") for mark in _MARKS)))
    steps |= dict.fromkeys(label_only, "undetermined")
    return Verification(
        numbers=len(stated),
        unsupported=_unsupported(stated, narrative),
        steps=dict(sorted(steps.items())),
        follows=_follows(answer.level, claims, count),
        label_only=label_only,
    )


def _unsupported(stated: list[str], narrative: str) -> tuple[str, ...]:
    told = {float(number) for number in _NUMBER.findall(narrative)}
    degrees = {float(number) for number in _NOT_PER_CENT.findall(narrative)}
    in_celsius = {round((value - 32) / 1.8, 1) for value in degrees}
    in_fahrenheit = {round(value * 1.8 + 32, 1) for value in degrees}
    known = told | in_celsius | in_fahrenheit
    return tuple(number for number in stated if float(number) not in known)


def _claim(line: str) -> bool | None:
    """What a Step line claims: True, False, or None where it makes no claim."""
    if _YES.match(line):
        return True
    if not line or _UNSTATED.search(line):
        return None
    return False if _NO.match(line) else None


def _count(line: str) -> int | None:
    if not line or _UNSTATED.search(line):
        return None
    claim = _ENGINE_S_ANSWER.sub("", _ASIDE.sub("", line))  # "(ch. 5)" is no count
    counted, colon, _ = claim.partition(":")  # nor is the 2 of "One: closing the 2 cm tear"
    parts = (counted, claim) if colon else (claim,)
    return next((count for part in parts for count, pattern in _COUNTS if pattern.search(part)), None)


def _compare(claim: bool | None, engine: str) -> Verdict:
    if claim is None or engine == "undetermined":
        return "undetermined"
    return "agree" if claim == (engine == "yes") else "disagree"


def _compare_count(count: int | None, engine: Decision) -> Verdict:
    """Only where the engine came to point C; a level that it holds possible is not blamed."""
    reached = engine.step("A").answer != "yes" and engine.step("B").answer != "yes"
    if count is None or not reached or engine.step("C").answer == "undetermined":
        return "undetermined"
    if min(len(engine.resources), 2) == count:
        return "agree"
    return "undetermined" if 5 - count in engine.possible else "disagree"


def _follows(level: int | None, claims: dict[str, bool | None], count: int | None) -> Verdict:
    """Whether the answer's own steps lead to its level (v5 ch. 2: A yes is 1, B yes is 2, then C, then D)."""
    if level is None:
        return "undetermined"
    if claims["step_a"]:
        return "agree" if level == 1 else "disagree"
    if claims["step_b"]:
        return "agree" if level == 2 else "disagree"
    if count is None:
        return "undetermined"
    if claims["step_d"] and level == 2:  # point D says "consider 2": either level follows
        return "agree"
    return "agree" if level == 5 - count else "disagree"
