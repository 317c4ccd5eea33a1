"""Advice as a card of CDS Hooks 2.0: one card always, with the five levels as suggestions.

All five are offered, so that "accepted" says which level the person chose. Ids of suggestions follow from the record's
id, so that feedback finds the level again without a table.
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from ...esi import VITALS_BY_NAME
from ..advice import Advice
from ..fhir import ESI_CODE, LEVEL_ANSWERS, Visit, level_observation
from ..reason_words import override_words
from .plain_markdown import escaped

REASON_SYSTEM = "urn:esi-triage:override-reason"
_POINTS = {"A": "life-saving now", "B": "high risk", "C": "resources", "D": "vital signs"}


def advice_card(advice: Advice, visit: Visit, patient: str) -> dict[str, Any]:
    """The card of one advice; its uuid is the id of the row in the decision log. No null, no empty value."""
    time = datetime.now(UTC).isoformat(timespec="seconds")
    made = {
        "uuid": advice.record,
        "summary": card_summary(advice),
        "indicator": "critical" if advice.level == 1 else "info" if (advice.level or 0) >= 3 else "warning",
        "detail": _detail(advice, visit),
        "source": {"label": f"esi-triage {version('esi-triage')} (research software)", "topic": ESI_CODE},
        "suggestions": [_suggestion(level, advice, visit, patient, time) for level in LEVEL_ANSWERS],
        "selectionBehavior": "at-most-one",
        "overrideReasons": [
            {"code": code, "system": REASON_SYSTEM, "display": words} for code, words in override_words().items()
        ],
        "extension": {"org.esi-triage.advice": _figures(advice, visit)},
    }
    return without_empty(made)


def suggestion_id(record: str, level: int) -> str:
    """The id of the suggestion of that level in the card of that record."""
    return str(uuid.uuid5(uuid.UUID(record), f"ESI {level}"))


def card_summary(advice: Advice) -> str:
    """One line under 140 characters without a word of the note."""
    left = _levels(advice.set)
    by = " (the rules alone answered)" if advice.degraded else ""
    if advice.level is None:
        return f"No level: you decide{f'; not excluded: {left}' if left else ''}{by}"
    others = [level for level in advice.set if level != advice.level]
    return f"ESI {advice.level} advised{f'; not excluded: {_levels(others)}' if others else ''}{by}"


def without_empty(value: Any) -> Any:
    """`value` without null, "", [] and {} at any depth, which CDS Hooks forbids."""
    if isinstance(value, Mapping):
        kept = {key: without_empty(inner) for key, inner in value.items()}
        return {key: inner for key, inner in kept.items() if not _is_empty(inner)}
    if isinstance(value, list | tuple):
        return [inner for inner in map(without_empty, value) if not _is_empty(inner)]
    return value


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or value == [] or value == {}


def _suggestion(level: int, advice: Advice, visit: Visit, patient: str, time: str) -> dict[str, Any]:
    resource = level_observation(
        level, patient, visit.encounter, time, advice.record, advice.model.name, visit.read_from
    )
    return {
        "label": f"ESI {level}",
        "uuid": suggestion_id(advice.record, level),
        "isRecommended": True if level == advice.level else None,
        "actions": [
            {
                "type": "create",
                "description": f"Record ESI {level}: {LEVEL_ANSWERS[level][1]}",
                "resource": resource,
            }
        ],
    }


def _detail(advice: Advice, visit: Visit) -> str:
    """GitHub-flavoured markdown; whatever comes from the note or the EHR is escaped."""
    lines = ["**An advice, not a decision.** " + escaped(advice.notice), ""]
    lines += _list("Why a person decides", [reason.says for reason in advice.hand_over])
    lines += _list("Probabilities", [_shares(advice.probabilities)] if advice.probabilities else [])
    steps = [
        f"{step.point} ({_POINTS[step.point]}): {step.answer}. {step.reason}{_quotes(step)}" for step in advice.steps
    ]
    lines += _list("ESI algorithm, by the rules", steps)
    lines += _list("Read", [visit.narrative, _signs(visit.vitals)])
    lines += _list("Not recorded", [", ".join(VITALS_BY_NAME[name].label for name in advice.missing)])
    lines += _list("Sent but not used", list(visit.left_out))
    lines += _list("Please check", list(advice.warnings))
    return "\n".join(lines).strip()


def _list(title: str, items: list[str]) -> list[str]:
    items = [item for item in items if item]
    return [f"**{title}**", "", *(f"- {escaped(item)}" for item in items), ""] if items else []


def _quotes(step: Any) -> str:
    quoted = dict.fromkeys(f"“{evidence.text}”" for evidence in step.evidence)
    return f" {', '.join(quoted)}" if quoted else ""


def _signs(vitals: Mapping[str, float]) -> str:
    signs = [(VITALS_BY_NAME[name], value) for name, value in vitals.items()]
    return ", ".join(f"{sign.label} {value:g} {sign.unit}" for sign, value in signs)


def _levels(levels: Any) -> str:
    return ", ".join(f"ESI {level}" for level in levels)


def _shares(probabilities: Any) -> str:
    return ", ".join(f"ESI {level}: {share:.0%}" for level, share in enumerate(probabilities, start=1))


def _figures(advice: Advice, visit: Visit) -> dict[str, Any]:
    return {
        "level": advice.level,
        "set": list(advice.set),
        "probabilities": list(advice.probabilities or ()),
        "handOver": [reason.code for reason in advice.hand_over],
        "missing": list(advice.missing),
        "notUsed": list(visit.left_out),
        "degraded": advice.degraded,
        "model": advice.model.name,
        "record": advice.record,
    }
