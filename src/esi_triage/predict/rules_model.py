"""The ESI engine as a model: deterministic, and it shows its reasons in the format that a language model answers in."""

from dataclasses import replace

from ..answer import Reasoning, write
from ..esi import Case, Decision, Findings, decide, is_shown, read
from .model import Model, Reading, Reply, one_by_one, reply_of

NOT_A_NOTE = "not a triage note that can be read: no level"
NO_NOTE = Reply(None, NOT_A_NOTE, False, possible=(1, 2, 3, 4, 5), warnings=(NOT_A_NOTE,))


def rules_model() -> Model:
    """The `rules` model: reads each narrative and decides by the handbook (v5)."""
    return replace(one_by_one("rules", rules_reply), from_reading=reply_from)


def reading_of(narrative: str) -> Reading:
    """What the engine reads in a narrative, and decides on it."""
    findings = read(narrative)
    return Reading(findings, decide(findings))


def rules_reply(case: Case) -> Reply:
    """What the engine replies to a case; it reads the narrative alone."""
    return reply_from(reading_of(case.narrative))


def reply_from(reading: Reading) -> Reply:
    """The engine's level with the levels that stay possible; no level where it can read nothing of a triage note."""
    findings, decision = reading
    return decided_reply(findings, decision) if is_note(findings) else NO_NOTE


def is_note(findings: Findings) -> bool:
    """Whether anything of a triage note was read."""
    return bool(findings.items or findings.measured or findings.sex or findings.arrival)


def decided_reply(findings: Findings, decision: Decision) -> Reply:
    """A decision of the engine as a reply."""
    reply = reply_of(decision_text(findings, decision))
    return replace(reply, possible=tuple(sorted(decision.possible)), warnings=decision.warnings)


def decision_text(findings: Findings, decision: Decision, level: int | None = None) -> str:
    """A decision as an answer in the model card's format; every reason is the engine's own.

    `level` is the level answered where it is not the engine's.
    """
    met = [finding for finding in findings.items if finding.status in ("present", "possible") and is_shown(finding)]
    steps = {f"step_{step.point.lower()}": _one_line(f"{step.answer}: {step.reason}") for step in decision.steps}
    return write(
        Reasoning(
            chief_complaint=_one_line(met[0].label if met else "none of the catalogue's presentations found"),
            vital_signs=_one_line(_measured(findings) or "not recorded"),
            red_flags=_one_line("; ".join(finding.label for finding in met[1:]) or "none stated"),
            **steps,
        ),
        level or decision.level,
    )


def _measured(findings: Findings) -> str:
    return ", ".join(dict.fromkeys(span.text.strip() for name, span in findings.measured.items() if name != "age"))


def _one_line(text: str) -> str:
    return " ".join(text.replace("ANSWER:", "answer:").split())
