"""Reasons as a triage nurse would say them: what is found, in the note's own words, why it counts, and the chapter."""

import re
from collections.abc import Iterable, Iterator

from ..catalogue import Entry, entries
from ..findings import Finding
from .conditions import Condition, Term
from .patient_facts import PatientFacts

_CITED = re.compile(r"(?:(v4 and v5|v4|v5) )?ch\. ?((?:\d, )*\d(?: and \d)?)")
_MEASURES = {
    "temp": ("temperature", " °C"),
    "hr": ("heart rate", ""),
    "rr": ("respiratory rate", ""),
    "spo2": ("oxygen saturation", " %"),
    "sbp": ("systolic pressure", ""),
    "dbp": ("diastolic pressure", ""),
    "pain": ("pain rated", " of 10"),
    "gcs": ("coma scale", ""),
    "glucose": ("glucose", " mg/dL"),
    "shock_index": ("pulse over systolic pressure", ""),
}
_LONGEST = 60  # characters of the note that are quoted


def is_shown(finding: Finding) -> bool:
    """True where a reader is told of the finding; a helper sign only colours a complaint."""
    return entries()[finding.name].shown


def reason(entry: Entry, item: Finding, condition: Condition, facts: PatientFacts) -> str:
    """One sentence: "chest pain at 54 with "sweating": possible acute coronary syndrome (handbook v5, chapter 4)"."""
    age = _age(condition, facts)
    signs = list(dict.fromkeys(_signs(condition, item, facts)))
    found = entry.label + age + (f" with {_listed(signs)}" if signs else "")
    why, cited = explained(entry.rule)
    return f"{found}: {why}{cited}" if why else f"{found}{cited}"


def explained(rule: str) -> tuple[str, str]:
    """The reason and the citation that an entry's rule holds: ("possible stroke", " (handbook v5, chapter 4)")."""
    first = rule.split(";")[0]
    cited, _, why = first.partition(":") if ":" in first else (first, "", "")
    found = _CITED.search(cited)
    if found is None:
        return rule.strip(), ""
    version = f" {found[1]}" if found[1] else ""
    chapter = "chapters" if len(re.findall(r"\d", found[2])) > 1 else "chapter"
    return why.strip(), f" (handbook{version}, {chapter} {found[2]})"


def open_question(entry: Entry, condition: Condition) -> str:
    """What is not recorded and would decide: "cough: whether it is high risk hangs on the age"."""
    asked = [_asked(term) for term in condition if term.operator or term.name == "unsaid"]
    return f"{entry.label}: whether it is high risk hangs on {_listed(list(dict.fromkeys(asked)))}"


def _asked(term: Term) -> str:
    if term.name == "unsaid":
        return "how the patient is now"
    return "the age" if term.name == "age" else f"the {_MEASURES[term.name][0]}"


def _age(condition: Condition, facts: PatientFacts) -> str:
    if not any(term.name == "age" for term in condition):
        return ""
    months = facts.findings.age_months
    if months is None:
        return ", age not recorded and taken for an adult's"
    if months < 3:
        return f" at {months * 52 / 12:.0f} weeks"
    return f" at {months / 12:.0f}" if months >= 24 else f" at {months:.0f} months"


def _signs(condition: Condition, item: Finding, facts: PatientFacts) -> Iterator[str]:
    quoted = {span.text for span in item.evidence}
    for term in condition:
        if term.operator and term.name != "age" and facts.value(term.name) is not None:
            label, unit = _MEASURES[term.name]
            yield f"{label} {facts.value(term.name):g}{unit}"
        elif term.operator is None and not term.negated and term.name in entries():
            texts = [span.text for span in facts.shown.get(term.name, ()) if span.text not in quoted]
            if texts:
                yield quoted_spans(texts)
            elif entries()[term.name].shown:
                yield entries()[term.name].label


def quoted_spans(texts: Iterable[str]) -> str:
    """The note's own words, in quotes."""
    words = " … ".join(dict.fromkeys(" ".join(text.split()) for text in texts))
    return f'"{words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"}"'


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
