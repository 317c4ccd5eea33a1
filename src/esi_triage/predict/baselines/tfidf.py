"""Logistic regression on a narrative's words (1 or 2 together) and characters (2 to 5 within words)."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...esi import Case
from .trees import Arrays

_WORDS: dict[str, Any] = {
    "analyzer": "word",
    "ngram_range": (1, 2),
    "min_df": 2,
    "max_features": 50_000,
    "sublinear_tf": True,
}
_LETTERS = {**_WORDS, "analyzer": "char_wb", "ngram_range": (2, 5), "max_features": 100_000}


def fit_tfidf(cases: Sequence[Case], gold: NDArray[np.int64]) -> tuple[dict[str, list[str]], Arrays]:
    """The vocabulary, and the arrays `words` and `letters` (idf), `weights` (levels, features), `start` (levels)."""
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    texts = [case.narrative for case in cases]
    words, letters = TfidfVectorizer(**_WORDS), TfidfVectorizer(**_LETTERS)
    features = hstack([words.fit_transform(texts), letters.fit_transform(texts)]).tocsr()
    # of 1, 3, 10 and 30 on the open corpus, 10 gave the least log loss on the tuning split
    fitted = LogisticRegression(C=10, max_iter=1000).fit(features, gold)
    vocabulary = {"words": words.get_feature_names_out().tolist(), "letters": letters.get_feature_names_out().tolist()}
    arrays = {"words": words.idf_, "letters": letters.idf_}
    return vocabulary, arrays | {"weights": fitted.coef_.astype(np.float32), "start": fitted.intercept_}


def tfidf_scores(vocabulary: dict[str, list[str]], arrays: Arrays) -> Callable[[Sequence[Case]], NDArray[np.float64]]:
    """From what `fit_tfidf` made, cases to (n, levels): the scores whose softmax are the probabilities."""
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(**_WORDS, vocabulary=vocabulary["words"])
    letters = TfidfVectorizer(**_LETTERS, vocabulary=vocabulary["letters"])
    words.idf_, letters.idf_ = arrays["words"], arrays["letters"]

    def scores(cases: Sequence[Case]) -> NDArray[np.float64]:
        texts = [case.narrative for case in cases]
        return hstack([words.transform(texts), letters.transform(texts)]) @ arrays["weights"].T + arrays["start"]

    return scores
