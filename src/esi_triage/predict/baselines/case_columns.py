"""A case's columns as numbers, for models that read columns and no narrative."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...esi import Case

MEASURED = ("age_years", "temperature_c", "heart_rate", "resp_rate", "spo2", "sbp", "dbp", "pain")
ARRIVALS = ("walk-in", "ambulance", "helicopter", "other")
COMMONEST = 150  # words of the chief complaint; a rarer one is seen too seldom for a tree to use it


def complaint_words(cases: Sequence[Case]) -> list[str]:
    """The words that occur in most of the cases' chief complaints, in the order of the alphabet."""
    counts = Counter(word for case in cases for word in _words(case))
    return sorted(word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:COMMONEST])


def columns_of(cases: Sequence[Case], words: Sequence[str]) -> NDArray[np.float32]:
    """(n, 9 + 4 + words): `MEASURED`, female, arrival by `ARRIVALS`, the complaint's words; NaN where not recorded."""
    place = {word: 9 + len(ARRIVALS) + i for i, word in enumerate(words)}
    found = np.zeros((len(cases), 9 + len(ARRIVALS) + len(words)), dtype=np.float32)
    for row, case in zip(found, cases, strict=True):
        row[:8] = [np.nan if (value := getattr(case, name)) is None else value for name in MEASURED]
        row[8] = np.nan if case.sex is None else case.sex == "F"
        row[9 : 9 + len(ARRIVALS)] = [np.nan if case.arrival is None else case.arrival == way for way in ARRIVALS]
        row[[place[word] for word in _words(case) if word in place]] = 1
    return found


def _words(case: Case) -> set[str]:
    letters = "".join(letter if letter.isalnum() else " " for letter in (case.chief_complaint or "").lower())
    return set(letters.split())
