"""Check 7: texts that earn the bonuses without merit, run through the real parser, verifier and scorer.

Only for five levels, ESI's: other grades have no parser here.
"""

from typing import Any

from ...answer import Reasoning, parse, write
from ...answer.verify import LABEL_ONLY
from ..design import Design
from ..score import approximate_tokens, score
from .finding import LESSONS, WORDS, AuditFinding, Checked, listed, signed
from .setting import Setting

GOLD, WRONG = 2, 3
LEVELS = (("exact", GOLD), ("wrong", WRONG))  # what is answered

# What a bonus for steps is gamed with: answers to one note, of which extraction or steps say nothing.
NOTE = (
    "25-year-old woman with asthma, leaning on her hands, two or three words at a time. She came by ambulance, her "
    "sister is with her. BP 111/69, HR 94, RR 26, SpO2 92 %, T 36.9 °C."
)
_VITALS = "BP 111/69, HR 94, RR 26, SpO2 92 %, T 36.9 °C"
_EXTRACTED = ("asthma", _VITALS, "two or three words at a time")
_REASONS = {GOLD: ("no", "yes, two or three words at a time", "not reached", "not reached"),
            WRONG: ("no", "no", "two or more: labs, x-ray", "within limits")}  # fmt: skip
_UNREASONED = {GOLD: ("no", f"yes, {LABEL_ONLY}", "not reached", "not reached"),
               WRONG: ("no", f"no, {LABEL_ONLY}", f"two or more, {LABEL_ONLY}", "within limits")}  # fmt: skip
HONEST = "confirmed in full"
# name -> the three lines of the extraction, and the four steps by the level they lead to
STEP_TEXTS = {
    HONEST: (_EXTRACTED, _REASONS),
    "empty extraction": (("x", "x", "x"), _REASONS),
    "label-only in every step": (_EXTRACTED, _UNREASONED),
    "the note copied": ((NOTE, _VITALS, NOTE), _REASONS),
    "nothing extracted, label-only": (("x", "x", "x"), _UNREASONED),
}


def bonuses(setting: Setting) -> Checked:
    """What each text earns beyond the table where its level is right (`exact`) and where it is wrong (`wrong`).

    And what each answer of `STEP_TEXTS` earns of a bonus for steps. Whether that outbids the level is for `order`.
    """
    design = setting.design
    if setting.n != 5:
        return Checked({"why_not": "texts are read for five levels only"}, [])
    texts = {
        name: {kind: _earned(text.format(level=level), design, "format", "length") for kind, level in LEVELS}
        for name, text in WORDS["texts"].items()
    }
    findings = _findings(texts, "texts without merit earn a bonus", {"texts": texts}, LESSONS["bonuses"])
    if not design.steps_bonus:
        return Checked({"texts": texts}, findings)
    steps = {
        name: {kind: _earned(write(Reasoning(*said, *led[level]), level), design, "steps") for kind, level in LEVELS}
        for name, (said, led) in STEP_TEXTS.items()
    }
    empty = {name: pay for name, pay in steps.items() if name != HONEST}
    numbers = {name: pay["exact"] for name, pay in steps.items()}
    what = "answers that extract or reason nothing earn the bonus for steps"
    return Checked({"texts": texts, "steps": steps}, findings + _findings(empty, what, numbers, LESSONS["steps"]))


def _earned(text: str, design: Design, *parts: str) -> float:
    paid = score(parse(text), GOLD, design, approximate_tokens(text), NOTE)
    return sum(getattr(paid, part) for part in parts)


def _findings(
    texts: dict[str, dict[str, float]], what: str, numbers: dict[str, Any], lesson: str
) -> list[AuditFinding]:
    """Which texts are paid with what they earn, best first: those paid with a wrong level, else with the right."""
    for kind, when in (("wrong", "even with a wrong level or none"), ("exact", "where the level is right")):
        paid = sorted(((pay[kind], name) for name, pay in texts.items() if pay[kind] > 0), key=lambda item: -item[0])
        if paid:
            named = listed([f"{name} {signed(pay)}" for pay, name in paid])
            message = f"{len(paid)} of {len(texts)} {what} {when}: {named}."
            return [AuditFinding("bonuses", "note", message, numbers, lesson)]
    return []
