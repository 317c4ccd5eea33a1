"""Artefacts: how much of the gold can be guessed from the looks of a note, without reading it.

A classifier sees length, figures that look like vital signs, an age, unknown words, and who typed. What it gains over
the best constant answer is what a model could learn without learning triage.
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...esi import Case

ALLOWED = 0.03
"""The most that looks may gain over the best constant answer."""

_SIGN = re.compile(r"\b(?:BP|HR|RR|P|R|T|temp|SpO2|sats?|O2|pulse|resps?|pain)\b[^a-z0-9]{0,6}\d|\d{2,3}/\d{2,3}", re.I)
_AGE = re.compile(r"\b\d{1,3}\s*-?\s*(?:y|yo|yrs?|years?|mos?|months?|wks?|weeks?|days?|d/?o|m/?o|y/?o|[FM])\b", re.I)
_WORD = re.compile(r"[a-z]+")


class Artefacts(NamedTuple):
    """Exact agreement of a classifier of looks (5 folds) and of the best constant answer, on `n` labelled cases."""

    n: int
    looks: float
    constant: float

    @property
    def within_bounds(self) -> bool:
        """True where looks gain no more than `ALLOWED`."""
        return self.looks - self.constant <= ALLOWED


def artefacts(cases: Sequence[Case], where: str | Path = "cases", seed: int = 0) -> Artefacts:
    """Measure artefacts on the labelled cases; InputError, naming `where`, for fewer than two levels of five cases."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    labelled = [case for case in cases if case.gold is not None]
    gold = np.array([case.gold for case in labelled])
    shares = Counter(gold.tolist())
    if lacking := _lacking(shares):
        raise InputError(f"{where}: {lacking}; artefacts are measured where two levels or more have five cases each.")
    seen = looks_of(labelled)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    models = (
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        HistGradientBoostingClassifier(max_iter=50, max_depth=3, random_state=seed),
    )
    exact = max(float(np.mean(cross_val_predict(model, seen, gold, cv=folds) == gold)) for model in models)
    return Artefacts(len(labelled), exact, max(shares.values()) / len(labelled))


def _lacking(shares: Counter[int]) -> str | None:
    """What keeps the classifier from learning on five folds."""
    if len(shares) < 2:
        return f"only level {min(shares)}" if shares else "no case with a level"
    level, n = min(shares.items(), key=lambda share: share[1])
    return f"of level {level} only {n}" if n < 5 else None


def looks_of(cases: Sequence[Case]) -> NDArray[np.float64]:
    """(n, 5 + groups): words, characters, vital signs, an age, share of words that no other group uses, the group."""
    words = [_WORD.findall(case.narrative.lower()) for case in cases]
    users: dict[str, set[str]] = {}
    for case, found in zip(cases, words, strict=True):
        for word in found:
            users.setdefault(word, set()).add(case.group or case.case_id)
    groups = sorted({case.group or "" for case in cases})
    return np.array(
        [
            [
                len(found),
                len(case.narrative),
                len(_SIGN.findall(case.narrative)),
                bool(_AGE.search(case.narrative)),
                np.mean([len(users[word]) == 1 for word in found]) if found else 0,
                *((case.group or "") == group for group in groups),
            ]
            for case, found in zip(cases, words, strict=True)
        ],
        dtype=float,
    )
