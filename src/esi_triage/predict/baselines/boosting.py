"""Gradient-boosted trees on vital signs, age, sex, arrival and the complaint's words; they read no narrative."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...esi import Case
from .case_columns import columns_of, complaint_words
from .trees import Arrays, arrays_of, tree_scores

_FEWEST = 10  # rows of each level, where a tenth is held back to say when to stop; numbers in a column that is read


def fit_boosting(cases: Sequence[Case], gold: NDArray[np.int64], seed: int) -> tuple[dict[str, list[str]], Arrays]:
    """The complaint words that are read, and the trees (see `trees`)."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    words = complaint_words(cases)
    held_back = bool(np.unique(gold, return_counts=True)[1].min() >= _FEWEST)
    # 63 bins of a vital sign instead of 255: as good on the open corpus, in half the time
    settings: dict[str, Any] = {"max_iter": 300 if held_back else 50, "early_stopping": held_back, "max_bins": 63}
    boosting = HistGradientBoostingClassifier(**settings, random_state=seed)
    columns = columns_of(cases, words)
    # scikit-learn cannot bin a column without numbers (MIMIC-IV-ED alone has no ages); no tree splits on a constant
    columns[:, (~np.isnan(columns)).sum(axis=0) < _FEWEST] = 0
    return {"words": words}, arrays_of(boosting.fit(columns, gold))


def boosting_scores(known: dict[str, list[str]], arrays: Arrays) -> Callable[[Sequence[Case]], NDArray[np.float64]]:
    """From what `fit_boosting` made, cases to (n, levels): the scores whose softmax are the probabilities."""
    return lambda cases: tree_scores(arrays, columns_of(cases, known["words"]))
