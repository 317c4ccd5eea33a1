"""What became of a card: rows of kind `feedback` in the decision log. A card without feedback is not agreed to."""

from collections.abc import Mapping
from typing import Any

from ..decision_log import DecisionLog, Record
from .cards import suggestion_id
from .refused import Refused

_TEXT = 200
_COMMENT = 4000


def keep_feedback(log: DecisionLog, service: str, body: Mapping[str, Any]) -> list[Record]:
    """Append every item of `body`, or, where one breaks CDS Hooks or names an unknown card, none (Refused).

    Returns the rows that were added.
    """
    items = body.get("feedback")
    if not isinstance(items, list) or not items or not all(isinstance(item, Mapping) for item in items):
        raise Refused(400, "structure", "feedback: give a list of objects.")
    rows = [_row(log, service, item, f"feedback[{place}]") for place, item in enumerate(items)]
    return [log.append("feedback", row, comment, record.id) for record, row, comment in rows]


def _row(
    log: DecisionLog, service: str, item: Mapping[str, Any], where: str
) -> tuple[Record, dict[str, Any], str | None]:
    record = log.get(item["card"]) if isinstance(item.get("card"), str) else None
    if record is None or record.kind != "advice":
        raise Refused(400, "not-found", f"{where}.card: no card of that uuid is in the log.")
    outcome, override = item.get("outcome"), item.get("overrideReason")
    if outcome not in ("accepted", "overridden"):
        raise Refused(400, "value", f"{where}.outcome: accepted or overridden.")
    level = _accepted(record, item, where) if outcome == "accepted" else None
    reason, comment = _override(override, where) if override is not None else ({}, None)
    row = {
        "source": "cds-hooks",
        "service": service,
        "outcome": outcome,
        "advised": record.body.get("level"),
        "level": level,
        "reason": _text(reason.get("code"), f"{where}.overrideReason.reason.code", _TEXT),
        "reason_system": _text(reason.get("system"), f"{where}.overrideReason.reason.system", _TEXT),
        "outcome_time": _text(item.get("outcomeTimestamp"), f"{where}.outcomeTimestamp", _TEXT),
    }
    return record, row, comment


def _accepted(record: Record, item: Mapping[str, Any], where: str) -> int:
    """The level that was taken (cds-fb-2: an accepted card says which suggestion)."""
    taken = item.get("acceptedSuggestions")
    ids = [one.get("id") for one in taken if isinstance(one, Mapping)] if isinstance(taken, list) else []
    levels = [level for level in range(1, 6) if suggestion_id(record.id, level) in ids]
    if len(levels) != 1 or len(ids) != 1:
        raise Refused(
            400, "required", f"{where}.acceptedSuggestions: give the one suggestion of the card that was taken."
        )
    return levels[0]


def _override(override: Any, where: str) -> tuple[Mapping[str, Any], str | None]:
    """The coded reason and the comment (cds-fb-3: one of them at least); a Coding without display is fine."""
    if not isinstance(override, Mapping):
        raise Refused(400, "structure", f"{where}.overrideReason: give an object.")
    reason, comment = override.get("reason"), override.get("userComment")
    if not reason and not comment:
        raise Refused(400, "required", f"{where}.overrideReason: give reason, userComment, or both.")
    if reason is not None and not isinstance(reason, Mapping):
        raise Refused(400, "structure", f"{where}.overrideReason.reason: give a Coding.")
    return reason or {}, _text(comment, f"{where}.overrideReason.userComment", _COMMENT)


def _text(value: Any, where: str, longest: int) -> str | None:
    if value is not None and (not isinstance(value, str) or len(value) > longest):
        raise Refused(400, "value", f"{where}: give a text of {longest} characters at most.")
    return value
