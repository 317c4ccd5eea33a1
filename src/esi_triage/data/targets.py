"""From a case and its gold level to a reference answer: what the warm start (SFT) learns to write.

The answer quotes only what the case holds and reaches the gold by stated steps. Where the note gives no reason for the
level that the nurse chose (a MIMIC row has a complaint and vital signs, nothing else), the step says "label-only"; it
does not invent a finding.

Where the rules engine reads the note otherwise than the gold has it, the gold stands, and the step is marked
in the same way: "yes, wakes only when shaken, label-only". `answer.verify` takes a marked step for one that leads to
the level, and for no claim about the note. `judged_steps` counts them.
"""

import re

from ..answer import Reasoning, parse, verify, write
from ..answer.verify import LABEL_ONLY
from ..esi import Case, Decision, danger_zone_vitals
from .narrative import pain_text, vitals_text


def reference_answer(case: Case, engine: Decision | None = None) -> str:
    """The reference answer for a labelled case, in the card's format. Raises ValueError for a case without gold.

    A case that was written with an answer keeps it. With `engine`, the engine's reading of the same narrative
    (`esi.assess`, some 3 ms), no step disagrees with it: the steps that would are marked as label-only. Without it they
    are written as plain claims.
    """
    if case.gold is None:
        raise ValueError(f"case {case.case_id} has no gold level, so it has no reference answer")
    if case.reference_answer:
        return case.reference_answer
    plain = _reasoning(case)
    if engine is None:
        return write(Reasoning(**plain), case.gold)
    found = verify(case.narrative, parse(write(Reasoning(**plain), case.gold)), engine)
    disputed = {name: _judgement(plain[name]) for name, verdict in found.steps.items() if verdict == "disagree"}
    return write(Reasoning(**plain | disputed), case.gold)


def judged_steps(answer: str) -> int:
    """How many steps of an answer are label-only: the note gives no reason, or the rules say otherwise."""
    return len(re.findall(rf"- Step [A-D] .*{LABEL_ONLY}", answer))


def _judgement(claim: str) -> str:
    """A claim marked as label-only: a count before its resources, a yes or no after its reason."""
    count, colon, resources = claim.partition(": ") if claim.startswith(("two", "one")) else (claim, "", "")
    return f"{count}, {LABEL_ONLY}{colon}{resources}"


def _reasoning(case: Case) -> dict[str, str]:
    gold = case.gold or 0
    complaint = _one_line(case.chief_complaint) or "not recorded"
    flags = list(case.red_flags)
    reason = flags[0] if flags else f"{complaint}, {LABEL_ONLY}"
    alarming = danger_zone_vitals(case.age_years, case.vitals)
    measured = f"{vitals_text(case.vitals)}, {pain_text(case.vitals, case.pain_raw)}"
    lines = {
        "chief_complaint": complaint,
        "vital_signs": case.vitals_stated or measured,
        "red_flags": _red_flags(gold, flags),
        "step_a": f"yes, {reason}" if gold == 1 else "no",
        "step_b": _step_b(gold, reason),
        "step_c": _step_c(case),
        "step_d": _step_d(case, alarming),
    }
    # a note may hold "ANSWER: ..." (somebody's macro, or an attempt to be called urgent): quoted, it is no answer
    return {name: re.sub(r"(?i)\banswer\s*:", "answer", line) for name, line in lines.items()}


def _red_flags(gold: int, flags: list[str]) -> str:
    if not flags:
        return "none stated"
    told = "; ".join(flags)
    return told if gold <= 2 else f"none ({told})"


def _step_b(gold: int, reason: str) -> str:
    if gold == 1:
        return "not reached"
    return f"yes, {reason}" if gold == 2 else "no"


def _step_c(case: Case) -> str:
    resources = ", ".join(case.resources)
    return {
        3: f"two or more: {resources}" if resources else "two or more",
        4: f"one: {resources}" if resources else "one",
        5: "none",
    }.get(case.gold or 0, "not reached")


def _step_d(case: Case, alarming: list[str]) -> str:
    if case.gold in (1, 2):
        return "not reached"
    if case.vitals_stated:
        return "said to be normal"
    if all(value is None for name, value in case.vitals.model_dump().items() if name != "pain"):
        return "vital signs not recorded"
    return f"{', '.join(alarming)} considered, level kept" if alarming else "within limits"


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())
