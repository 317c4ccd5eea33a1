"""What MIETIC.csv says of a level: the question that was asked (the band) and the answer in prose.

Neither is a nurse's level. The question is known from `instruction`; whether the answer says yes, and how many
resources it names, is read from `output` by patterns, and stays open where the patterns disagree.
"""

import re
from typing import Literal

Band = Literal["1", "2", "3-5"]
Polarity = Literal["yes", "no", "unclear"]

# The three questions of the corpus' authors, by a part of each, and how many rows of the release ask them.
QUESTIONS: dict[Band, str] = {
    "1": "immediate life-saving interventions",
    "2": "esi level 2",
    "3-5": "resources likely required",
}
ROWS: dict[Band, int] = {"1": 3001, "2": 3001, "3-5": 3627}

_VERB = r"(?:require|need|meet|qualif|warrant|fulfil|satisf|indicated|necessary)"
_LEADS = re.compile(r"\W*(?:(?:answer|decision|assessment)\W+)?(yes|no)\b", re.IGNORECASE)
# a denial reaches to the end of its clause: "no immediate intervention is needed" does not say that it is needed
_DENIED = re.compile(
    rf"\b(?:not|no|without|never|neither)\s+(?:\w+\s+){{0,2}}?(?:{_VERB}|immediate|life)"
    r".*?(?=[.;,\n]|\bbut\b|\bhowever\b|$)",
    re.IGNORECASE,
)
_AFFIRMED = re.compile(rf"\b{_VERB}", re.IGNORECASE)
_WORDS = "zero one two three four five six seven eight nine ten"
_NUMBERS = {word: n for n, word in enumerate(_WORDS.split())}
_NUMBERS |= {"no": 0, "none": 0, "single": 1, "multiple": 2, "several": 2}
_NUMBER = rf"(\d+|{'|'.join(_NUMBERS)})"
_SPAN = rf"\b(?:{_NUMBER}\s*(?:-|–|to|or)\s*)?{_NUMBER}"
_BETWEEN = r"(?:\s*\(\d+\))?(?:\s+(?:or\s+more|different|hospital|additional|distinct|types?\s+of|ed|further))*"
_RESOURCES = (
    re.compile(rf"{_SPAN}{_BETWEEN}\s+resources?\b", re.IGNORECASE),
    re.compile(rf"\bresources?(?:\s+\w+){{0,3}}?\s*(?:\bis\b|\bare\b|[:=])\s*(?:\w+\s+)?{_SPAN}\b", re.IGNORECASE),
)
_OPEN_END = re.compile(r"\b(?:at least (?:one|1)|(?:one|1) or more)\b", re.IGNORECASE)


def band_asked(instruction: str) -> Band | None:
    """Which question was asked; null where it is none of the three."""
    asked = instruction.casefold()
    return next((band for band, part in QUESTIONS.items() if part in asked), None)


def polarity_of(output: str) -> Polarity:
    """Whether an answer says yes. A yes or no at its beginning decides; else all that it states must agree."""
    leads = _LEADS.match(output)
    if leads:
        return "yes" if leads[1].casefold() == "yes" else "no"
    text = output.replace("’", "'").replace("n't", " not")
    denied, affirmed = _DENIED.search(text), _AFFIRMED.search(_DENIED.sub("", text))
    if bool(denied) == bool(affirmed):
        return "unclear"
    return "no" if denied else "yes"


def resources_of(output: str) -> int | None:
    """How many resources an answer names: 0, 1, or 2 for two and more; null where it does not say, or says several."""
    if _OPEN_END.search(output):
        return None
    named = (number for pattern in _RESOURCES for span in pattern.findall(output) for number in span if number)
    said = {min(int(number) if number.isdigit() else _NUMBERS[number.casefold()], 2) for number in named}
    return said.pop() if len(said) == 1 else None


def level_answered(band: Band, output: str) -> int | None:
    """The level that question and answer amount to: 1 or 2 where the answer is yes, 3 to 5 by the resources."""
    if band == "3-5":
        resources = resources_of(output)
        return None if resources is None else 5 - resources
    return int(band) if polarity_of(output) == "yes" else None
