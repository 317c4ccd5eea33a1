"""The ESI engine as a model: deterministic, and it shows its reasons in the format that a language model answers in."""

from collections.abc import Callable, Sequence

from ..answer import Reasoning, write
from ..esi import Decision, Findings, decide, read
from .model import Model, Reply, reply_of


def rules_model() -> Model:
    """The `rules` model: reads each narrative and decides by the handbook (v5)."""

    def answer(narratives: Sequence[str], advance: Callable[[int], object]) -> list[Reply]:
        replies = []
        for narrative in narratives:
            findings = read(narrative)
            replies.append(reply_of(decision_text(findings, decide(findings))))
            advance(1)
        return replies

    return Model("rules", answer)


def decision_text(findings: Findings, decision: Decision) -> str:
    """A decision as an answer in the seed's format; every reason is the engine's own."""
    met = [finding for finding in findings.items if finding.status in ("present", "possible")]
    steps = {f"step_{step.point.lower()}": _one_line(f"{step.answer}: {step.reason}") for step in decision.steps}
    return write(
        Reasoning(
            chief_complaint=_one_line(met[0].label if met else "none of the catalogue's presentations found"),
            vital_signs=_one_line(_measured(findings) or "not recorded"),
            red_flags=_one_line("; ".join(finding.label for finding in met[1:]) or "none stated"),
            **steps,
        ),
        decision.level,
    )


def _measured(findings: Findings) -> str:
    return ", ".join(dict.fromkeys(span.text for name, span in findings.measured.items() if name != "age"))


def _one_line(text: str) -> str:
    return " ".join(text.replace("ANSWER:", "answer:").split())
