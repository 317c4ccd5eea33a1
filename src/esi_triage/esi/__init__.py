"""What ESI is: levels, cases, vital signs, findings and the A to D algorithm. No model, no file format.

`read` turns a narrative into findings, `decide` findings into a decision with its trace; `triage` does both. Importing
is cheap: the language pipeline is built at the first `read` (docs/esi-engine.md).
"""

from .case import Arrival, Case, GoldSource, Licence, Sex, Split
from .danger_zone import danger_zone_vitals
from .decide import decide, triage
from .decision import Decision, Step, Version
from .findings import Evidence, Finding, Findings
from .level import LEVELS, Level
from .read import read
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
    "GoldSource",
    "Level",
    "Licence",
    "Sex",
    "Split",
    "Step",
    "Version",
    "VitalSign",
    "Vitals",
    "danger_zone_vitals",
    "decide",
    "fahrenheit_to_celsius",
    "read",
    "triage",
]
