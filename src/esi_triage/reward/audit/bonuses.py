"""Check 7: texts that earn the bonuses without merit, run through the real parser, verifier and scorer.

Only for five levels, ESI's: other grades have no parser here.
"""

from ...answer import Reasoning, parse, write
from ...answer.verify import LABEL_ONLY
from ..design import Design
from ..score import Score, approximate_tokens, score
from .finding import AuditFinding, Checked, listed, signed
from .setting import Setting

LESSON = (
    "A bonus for a pattern is earned by the pattern: no regular expression tells reasoning from filler. Paid for exact "
    "answers only, it rewards at least nothing wrong."
)

GOLD, WRONG = 2, 3
_FILLER = (
    "EXTRACTION:\n- Chief complaint: x\n- Vital signs: x\n- Red flags: x\n\nESI ALGORITHM:\n- Step A (lifesaving): x\n"
    "- Step B (high-risk): x\n- Step C (resources): x\n- Step D (vitals): x\n\nANSWER: ESI {level}"
)
# name -> text without merit; {level} is what it answers
TEXTS = {
    "keyword echo": "EXTRACTION ALGORITHM ANSWER EXTRACTION: ALGORITHM: ANSWER: ESI {level}",
    "empty steps": "EXTRACTION:\n\nESI ALGORITHM:\n\nANSWER: ESI {level}",
    "filler in every step": _FILLER,
    "two answers": _FILLER + "\nANSWER: ESI 5",
    "answer alone": "ANSWER: ESI {level}",
    "empty thinking": "<think></think>ANSWER: ESI {level}",
    "both mentioned": "ESI {level} or ESI 5",
    "nothing": "",
    "thinking only": "<think>hmm",
}


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
STEPS_LESSON = (
    "What nothing contradicts is not confirmed: an answer that says nothing has nothing wrong. Pay for what note and "
    "engine bear out (steps_means = confirmed), to exact answers, and less than a wrong answer costs."
)


def bonuses(setting: Setting) -> Checked:
    """What each text earns beyond the table where its level is right (`exact`) and where it is wrong (`wrong`)."""
    if setting.n != 5:
        return Checked({"why_not": "texts are read for five levels only"}, [])
    texts = {
        name: {"exact": _bonus(text, GOLD, setting), "wrong": _bonus(text, WRONG, setting)}
        for name, text in TEXTS.items()
    }
    found = Checked({"texts": texts}, _patterns(texts))
    return _with_steps(found, setting.design) if setting.design.steps_bonus else found


def _patterns(texts: dict[str, dict[str, float]]) -> list[AuditFinding]:
    named, when = _paid(texts)
    if not named:
        return []
    message = f"{len(named)} of {len(texts)} texts without merit earn a bonus {when}: {listed(named)}."
    return [AuditFinding("bonuses", "note", message, {"texts": texts}, LESSON)]


def _with_steps(found: Checked, design: Design) -> Checked:
    """What each answer of `STEP_TEXTS` earns of the bonus for steps. Whether it outbids the level is for `order`."""
    steps = {name: {"exact": _steps(name, GOLD, design), "wrong": _steps(name, WRONG, design)} for name in STEP_TEXTS}
    measured, findings = found.measured | {"steps": steps}, list(found.findings)
    named, when = _paid({name: pay for name, pay in steps.items() if name != HONEST})
    if named:
        message = (
            f"{len(named)} of {len(steps) - 1} answers that extract or reason nothing earn the bonus for steps {when}"
        )
        numbers = {name: pay["exact"] for name, pay in steps.items()}
        findings.append(AuditFinding("bonuses", "note", f"{message}: {listed(named)}.", numbers, STEPS_LESSON))
    return Checked(measured, findings)


def _paid(texts: dict[str, dict[str, float]]) -> tuple[list[str], str]:
    """The texts that are paid with what they earn, best first: those paid with a wrong level, else with the right."""
    for kind, when in (("wrong", "even with a wrong level or none"), ("exact", "where the level is right")):
        paid = sorted(((pay[kind], name) for name, pay in texts.items() if pay[kind] > 0), key=lambda item: -item[0])
        if paid:
            return [f"{name} {signed(pay)}" for pay, name in paid], when
    return [], ""


def _bonus(text: str, level: int, setting: Setting) -> float:
    written = text.format(level=level)
    parts: Score = score(parse(written), GOLD, setting.design, approximate_tokens(written), NOTE)
    return parts.format + parts.length


def _steps(name: str, level: int, design: Design) -> float:
    extracted, steps = STEP_TEXTS[name]
    text = write(Reasoning(*extracted, *steps[level]), level)
    return score(parse(text), GOLD, design, approximate_tokens(text), NOTE).steps
