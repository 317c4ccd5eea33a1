"""Check 7: texts that earn the bonuses without merit, run through the real parser and scorer.

Only for five levels, ESI's: other grades have no parser here.
"""

from ...answer import parse
from ..score import Score, approximate_tokens, score
from .finding import Checked, Finding, listed, signed
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


def bonuses(setting: Setting) -> Checked:
    """What each text earns beyond the table where its level is right (`exact`) and where it is wrong (`wrong`)."""
    if setting.n != 5:
        return Checked({"why_not": "texts are read for five levels only"}, [])
    texts = {
        name: {"exact": _bonus(text, GOLD, setting), "wrong": _bonus(text, WRONG, setting)}
        for name, text in TEXTS.items()
    }
    paid_wrong = {name: pay["wrong"] for name, pay in texts.items() if pay["wrong"] > 0}
    paid = {name: pay["exact"] for name, pay in texts.items() if pay["exact"] > 0}
    if not paid and not paid_wrong:
        return Checked({"texts": texts}, [])
    chosen, when = (paid_wrong, "even with a wrong level or none") if paid_wrong else (paid, "where the level is right")
    named = [f"{name} {signed(pay)}" for name, pay in sorted(chosen.items(), key=lambda item: -item[1])]
    message = f"{len(chosen)} of {len(texts)} texts without merit earn a bonus {when}: {listed(named)}."
    return Checked({"texts": texts}, [Finding("bonuses", "note", message, {"texts": texts}, LESSON)])


def _bonus(text: str, level: int, setting: Setting) -> float:
    written = text.format(level=level)
    parts: Score = score(parse(written), GOLD, setting.design, approximate_tokens(written))
    return parts.format + parts.length
