"""What ESI is: levels, cases, vital signs, findings and the A to D algorithm. No model, no file format.

`read` turns a narrative into findings, `decide` findings into a decision with its trace; `assess` does both. Importing
is cheap: the vocabulary is read at the first `read` (docs/esi-engine.md).
"""

from .case import Arrival, Case, GoldSource, Licence, Sex, Split
from .decide.algorithm import assess, decide
from .decide.vital_limits import danger_zone_vitals
from .decide.wording import is_shown
from .decision import Decision, Step, Version
from .findings import Evidence, Finding, Findings
from .findings_input import FindingsInput, findings_from, findings_schema
from .level import LEVELS, Level
from .read.narrative_reader import read
from .vitals import VITAL_SIGNS, VITALS_BY_NAME, Vitals, VitalSign, fahrenheit_to_celsius

__all__ = [
    "LEVELS",
    "VITALS_BY_NAME",
    "VITAL_SIGNS",
    "Arrival",
    "Case",
    "Decision",
    "Evidence",
    "Finding",
    "Findings",
    "FindingsInput",
    "GoldSource",
    "Level",
    "Licence",
    "Sex",
    "Split",
    "Step",
    "Version",
    "VitalSign",
    "Vitals",
    "assess",
    "danger_zone_vitals",
    "decide",
    "fahrenheit_to_celsius",
    "findings_from",
    "findings_schema",
    "is_shown",
    "read",
]
