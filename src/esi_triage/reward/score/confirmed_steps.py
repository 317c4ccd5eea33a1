"""How much of an answer's extraction and steps the note and the engine bear out: what a steps bonus is paid for.

Two readings. `consistent` asks that nothing is contradicted, and is earned by saying nothing. `confirmed` asks that
something is borne out, and caps what each way of saying nothing could earn.
"""

import re
from functools import lru_cache

from ...answer import Answer, lines_of, verify
from ...answer.verify import Verification
from ...esi import Decision, Vitals, decide, read

COPIED = 0.9
"""The share of the note's words in the extraction from which on it is a copy. Of 1,500 reference answers to the open
corpus' core presentations none repeats more than 83 %; of 1,500 to the whole corpus, with its short notes, 4 % do."""

_WORD = re.compile(r"[a-z]+")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_EXTRACTION = ("chief_complaint", "vital_signs", "red_flags")


def consistent_share(narrative: str, answer: Answer) -> float:
    """1 where nothing in the answer is contradicted and its level follows from its steps, else 0."""
    found = _verified(narrative, answer)
    return float(found.consistent and found.follows == "agree")


def confirmed_share(narrative: str, answer: Answer) -> float:
    """0 to 1: the part of the note's vital signs that is extracted, times the part of the engine's certain points
    (A, B, C as far as it came) that the steps state as it does.

    0 where anything is contradicted, where the level does not follow from the steps, where the complaint is not in the
    note, where the extraction copies the note, and where a point of which the engine is certain is marked label-only.
    """
    found = _verified(narrative, answer)
    if not found.consistent or found.follows != "agree":
        return 0.0
    _, decision = _engine(narrative)
    certain = [f"step_{point.lower()}" for point in _certain(decision)]
    if not certain or set(certain) & set(found.label_only):
        return 0.0
    agreed = sum(found.steps[name] == "agree" for name in certain)
    return _extracted(narrative, lines_of(answer.text)) * agreed / len(certain)


def _certain(decision: Decision) -> list[str]:
    """The points that the engine came to and is certain of; C only where no other count is possible for it."""
    found = []
    for point in ("A", "B", "C"):
        step = decision.step(point)
        if step.answer != "undetermined" and (point != "C" or len(decision.possible) == 1):
            found.append(point)
        if step.answer == "yes":
            break
    return found


def _extracted(narrative: str, lines: dict[str, str]) -> float:
    stated = " ".join(lines.get(name, "") for name in _EXTRACTION).lower()
    told = set(_WORD.findall(narrative.lower()))
    complaint = _WORD.findall(lines.get("chief_complaint", "").lower())
    if not complaint or sum(word in told for word in complaint) * 2 < len(complaint):
        return 0.0
    if len(told & set(_WORD.findall(stated))) > COPIED * len(told):
        return 0.0
    vitals, _ = _engine(narrative)
    values = [value for value in vitals.model_dump().values() if isinstance(value, int | float)]
    numbers = {float(number) for number in _NUMBER.findall(stated)}
    known = [any(abs(form - n) < 0.06 for n in numbers for form in (v, v * 1.8 + 32)) for v in values]
    return sum(known) / len(known) if known else 1.0


@lru_cache(maxsize=512)  # the answers of a group are to one note
def _engine(narrative: str) -> tuple[Vitals, Decision]:
    findings = read(narrative)
    return findings.vitals, decide(findings)


def _verified(narrative: str, answer: Answer) -> Verification:
    return verify(narrative, answer, _engine(narrative)[1])
