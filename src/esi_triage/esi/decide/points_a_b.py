"""Decision points A (life-saving intervention now) and B (high risk, confusion, severe pain or distress)."""

from collections.abc import Iterator
from typing import NamedTuple

from ..catalogue import Entry, rules
from ..decision import Answer, Point, Step
from ..findings import Evidence, Finding
from .conditions import Condition
from .dangerous_numbers import NumberReason, high_risk_numbers, immediate_numbers
from .patient_facts import PatientFacts
from .wording import open_question, quoted_spans, reason

_SHOWN = 2
"""Besides the decisive reason, so many more are named."""


class _Reason(NamedTuple):
    """Why a point is answered so: its sentence, what it is called beside another reason, and the text it rests on."""

    answer: Answer
    sentence: str
    label: str
    evidence: tuple[Evidence, ...]
    soft: bool = False  # does not outweigh a patient who is seen to be well (rules/policy.toml, [high_risk])


def step_a(facts: PatientFacts) -> Step:
    """Point A (v4 ch. 2 and 3, v5 ch. 2 and 3): "yes" is level 1."""
    reasons = [*_immediate_words(facts), *map(_by_number, immediate_numbers(facts))]
    return _step("A", reasons, "nothing stated calls for a life-saving intervention now")


def step_b(facts: PatientFacts) -> Step:
    """Point B (v4 ch. 2 and 4, v5 ch. 2 and 4): "yes" is level 2."""
    reasons = [*_high_risk_words(facts), *map(_by_number, high_risk_numbers(facts)), *_pain(facts)]
    if len({each.label for each in reasons if each.answer == "yes"}) == 1 and seen_well(facts):
        reasons = [each._replace(answer="undetermined") if each.soft else each for each in reasons]
    return _step("B", reasons, "no high-risk presentation, new confusion or severe distress is stated")


def seen_well(facts: PatientFacts) -> bool:
    """True where the patient is at ease or said to be well, and the vital signs that were taken are all within limits.

    rules/policy.toml, [high_risk], says how many signs that takes.
    """
    policy = rules("policy")["high_risk"]
    taken = sum(facts.value(name) is not None for name in ("hr", "rr", "spo2", "sbp", "temp"))
    calm = not facts.present.isdisjoint(policy["doubtful_where"])
    return calm and taken >= policy["signs_taken"] and facts.present.isdisjoint(policy["no_longer_well"])


def words_alone(facts: PatientFacts) -> bool:
    """True where no number makes point B yes: what is high risk is so by the words of the note."""
    return not any(high_risk_numbers(facts))


def number_alone(facts: PatientFacts, level: int) -> bool:
    """True where a number by itself decides level 1 or 2, whatever the words say."""
    return any(immediate_numbers(facts) if level == 1 else high_risk_numbers(facts))


def _step(point: Point, reasons: list[_Reason], otherwise: str) -> Step:
    """The step that the reasons make: those that say yes, else those that leave it open, else no."""
    answers: tuple[Answer, ...] = ("yes", "undetermined")
    for answer in answers:
        found = [each for each in reasons if each.answer == answer]
        if found:
            spans = tuple(dict.fromkeys(span for each in found for span in each.evidence))
            return Step(point, answer, _sentence(found), spans)
    return Step(point, "no", otherwise)


def _sentence(found: list[_Reason]) -> str:
    """The decisive reason, and by their names the next ones."""
    others = [each.label for each in found[1:] if each.label != found[0].label]
    also = list(dict.fromkeys(others))[:_SHOWN]
    return found[0].sentence + (f"; also {' and '.join(also)}" if also else "")


def _by_number(found: NumberReason) -> _Reason:
    return _Reason("yes", found.sentence, found.label, found.evidence)


def _immediate_words(facts: PatientFacts) -> Iterator[_Reason]:
    doubtful = not facts.present.isdisjoint(rules("policy")["immediate"]["doubtful_where"])
    for entry, item in facts.active():
        sure: Answer = "undetermined" if doubtful or item.status != "present" else "yes"
        if entry.kind == "intervention" and not entry.immediate:
            yield _reason(sure, entry, item, (), facts)
            continue
        truths = [facts.holds(condition) for condition in entry.immediate]
        if True in truths:
            yield _reason(sure, entry, item, entry.immediate[truths.index(True)], facts)
        elif None in truths:
            yield _reason("undetermined", entry, item, entry.immediate[truths.index(None)], facts)


def _reason(answer: Answer, entry: Entry, item: Finding, condition: Condition, facts: PatientFacts) -> _Reason:
    others = (facts.shown.get(term.name, ()) for term in condition if not term.negated)
    spans = (*item.evidence, *(span for found in others for span in found))
    firm = rules("policy")["high_risk"]
    soft = entry.system not in firm["firm_systems"] and entry.name not in firm["firm"]
    return _Reason(answer, reason(entry, item, condition, facts), entry.label, spans, soft)


def _high_risk_words(facts: PatientFacts) -> Iterator[_Reason]:
    """What is said is high risk by its conditions; what is only derived, by those that name another finding.

    (A saturation of 91 % is left to point D; "hypoxic", in so many words, is not.) Complaints come before signs.
    """
    said_so = [(entry, item, entry.high_risk) for entry, item in facts.active()]
    derived = [(entry, item, _with_others(entry.high_risk)) for entry, item in facts.derived()]
    for entry, item, conditions in sorted((*said_so, *derived), key=lambda found: found[0].kind == "sign"):
        truths = [facts.holds(condition) for condition in conditions]
        if True in truths:
            yield _reason("yes", entry, item, conditions[truths.index(True)], facts)
        elif None in truths:
            question = open_question(entry, conditions[truths.index(None)])
            yield _Reason("undetermined", question, entry.label, item.evidence)


def _with_others(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    return tuple(condition for condition in conditions if condition[0].name != "always")


def _pain(facts: PatientFacts) -> Iterator[_Reason]:
    """Severe pain: yes where what is seen, or a cause known for it, bears it out; open where nothing does or denies."""
    policy = rules("policy")["pain"]
    rated = facts.value("pain")
    if "severe-pain" in facts.present:
        spans = facts.shown["severe-pain"]
        why = f"severe pain, borne out by {quoted_spans(span.text for span in spans)} (handbook v5, chapter 4)"
        yield _Reason("yes", why, "severe pain", spans)
    elif "severe-pain-rated" in facts.present and facts.present.isdisjoint(policy["contradicts"]):
        rating = f"pain rated {rated:g} of 10" if rated is not None else "pain called the worst"
        why = f"{rating}, which nothing observed bears out or contradicts (handbook v5, chapter 4: consider)"
        yield _Reason("undetermined", why, "pain", facts.shown["severe-pain-rated"])
