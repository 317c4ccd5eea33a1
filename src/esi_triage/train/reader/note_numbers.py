"""The numbers of a note as the reader sees them beside the text: age, sex, arrival and vital signs, as the engine reads
them.

An encoder of 22 M weights sees "SpO2 84 %" as word pieces; its value is what matters. Only what stands in the note is
used, and nothing of the engine's judgement, so that rules and reader stay two opinions.
"""

from typing import get_args

from ...esi.case import Arrival
from ...esi.read.measures import read_measures
from ...esi.read.person import read_age_months, read_arrival, read_sex
from ...reading import NARRATIVE

# name: (usual value, spread); (value - usual) / spread is what the reader sees, cut off at +-4
_USUAL = {
    "temperature_c": (36.9, 0.8),
    "heart_rate": (88.0, 20.0),
    "resp_rate": (18.0, 4.0),
    "spo2": (97.0, 3.0),
    "sbp": (132.0, 25.0),
    "dbp": (78.0, 15.0),
    "pain": (5.0, 3.0),
    "gcs": (14.0, 2.0),
    "glucose": (140.0, 80.0),
}
NUMBERS = 3 + 2 + len(get_args(Arrival)) + 2 * len(_USUAL)
"""How many numbers `numbers_of` gives."""


def numbers_of(narrative: str) -> list[float]:
    """`NUMBERS` numbers: each measure centred and scaled, 0 where it is not recorded, with a flag that says so."""
    text = narrative[:NARRATIVE]
    measures, age, sex, arrival = read_measures(text), read_age_months(text), read_sex(text), read_arrival(text)
    years = age[0] / 12 if age else None
    found = [0.0, 0.0, 0.0] if years is None else [years / 50 - 1, 1.0, max(0.0, 1 - years / 18)]
    found += [float(sex == "F"), float(sex == "M")]
    found += [float(arrival == way) for way in get_args(Arrival)]
    for name, (usual, spread) in _USUAL.items():
        value = measures.values.get(name)
        found += [0.0, 0.0] if value is None else [max(-4.0, min(4.0, (value - usual) / spread)), 1.0]
    return found
