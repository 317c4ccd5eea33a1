"""From a case and its gold level to a reference answer: what the warm start (SFT) learns to write.

The answer quotes only what the case holds and reaches the gold by stated steps. Where the note gives no reason for the
level that the nurse chose (a MIMIC row has a complaint and vital signs, nothing else), the step says that the nurse
judged so; it does not invent a finding.
"""

from ..answer import Reasoning, write
from ..esi import Case, danger_zone_vitals
from .narrative import pain_text, vitals_text


def reference_answer(case: Case) -> str:
    """The reference answer for a labelled case, in the seed's format. Raises ValueError for a case without gold."""
    if case.gold is None:
        raise ValueError(f"case {case.case_id} has no gold level, so it has no reference answer")
    complaint = _one_line(case.chief_complaint) or "not recorded"
    flags = _tagged(case, "flag")
    reason = flags[0] if flags else f"{complaint} judged so"
    alarming = danger_zone_vitals(case.age_years, case.vitals)
    return write(
        Reasoning(
            chief_complaint=complaint,
            vital_signs=f"{vitals_text(case.vitals)}, {pain_text(case.vitals, case.pain_raw)}",
            red_flags=_red_flags(case.gold, flags),
            step_a=f"yes, {reason}" if case.gold == 1 else "no",
            step_b=_step_b(case.gold, reason),
            step_c=_step_c(case),
            step_d=_step_d(case, alarming),
        ),
        case.gold,
    )


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
    resources = ", ".join(_tagged(case, "resource"))
    return {
        3: f"two or more: {resources}" if resources else "two or more",
        4: f"one: {resources}" if resources else "one",
        5: "none",
    }.get(case.gold or 0, "not reached")


def _step_d(case: Case, alarming: list[str]) -> str:
    if case.gold in (1, 2):
        return "not reached"
    if all(value is None for name, value in case.vitals.model_dump().items() if name != "pain"):
        return "vital signs not recorded"
    return f"{', '.join(alarming)} considered, level kept" if alarming else "within limits"


def _tagged(case: Case, kind: str) -> list[str]:
    return [tag.removeprefix(f"{kind}:") for tag in case.tags if tag.startswith(f"{kind}:")]


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())
