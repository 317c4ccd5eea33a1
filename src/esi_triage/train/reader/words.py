"""The reader's part that counts: for each question, a logistic regression on the note's words and numbers.

The encoder reads a quarter of the visits, once; counting reads all of them in a minute, and errs in other places. The
reader's answer is the mean of the two in log probabilities. Fitted with scikit-learn; answered in NumPy, which
`tests/train/test_reader_words.py` holds to scikit-learn's own numbers: importing it takes longer than all else
that an answer needs.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...esi import LEVELS, Case
from .note_numbers import numbers_of
from .settings import QUESTIONS, Question, ReaderData
from .texts import notes, vignettes, visits_taught

FILE = "words.safetensors"
_FEWEST = 3  # texts in which a word or a pair of words must stand
_STRENGTH = 3.0  # inverse regularisation: on the tuning splits 1 is as good for survey and 10 for handbook
_NUMBERS = 0.2  # what a number weighs beside a word
_NEVER = -20.0  # the score of a level that no text has
_TOKEN = re.compile(r"\b\w\w+\b")  # scikit-learn's own


@dataclass(frozen=True)
class WordCounts:
    """What was fitted: `index` of each word or pair, `idf` (words,), `weights` (words + what stands beside them, 5),
    `start` (5,)."""

    index: dict[str, int]
    idf: NDArray[np.float32]
    weights: NDArray[np.float32]
    start: NDArray[np.float32]

    def scores(self, texts: Sequence[str], beside: NDArray[np.float32]) -> NDArray[np.floating]:
        """(texts, 5): the scores whose softmax are the probabilities. `beside` as `fit_words` had it."""
        counted = np.array([self._score(text) for text in texts])
        return beside @ self.weights[len(self.idf) :] + self.start + counted

    def _score(self, text: str) -> NDArray[np.floating]:
        found = _TOKEN.findall(text.lower())
        counted = Counter(found + [f"{one} {two}" for one, two in pairwise(found)])
        places = [self.index[word] for word in counted if word in self.index]
        if not places:
            return np.zeros(len(LEVELS), np.float32)
        counts = np.array([n for word, n in counted.items() if word in self.index], np.float32)
        values = (1 + np.log(counts)) * self.idf[places]
        return values / np.linalg.norm(values) @ self.weights[places]

    def tensors(self) -> dict[str, NDArray]:
        """What the file holds: the words as bytes, the weights in half precision."""
        words = np.frombuffer("\n".join(self.index).encode(), np.uint8)
        return {"words": words, "idf": self.idf, "weights": self.weights.astype(np.float16), "start": self.start}

    @classmethod
    def of(cls, tensors: dict[str, NDArray]) -> Self:
        """From what the file holds."""
        words = tensors["words"].tobytes().decode().split("\n")
        index = {word: place for place, word in enumerate(words)}
        return cls(index, tensors["idf"], tensors["weights"].astype(np.float32), tensors["start"])


def counted_texts(data: ReaderData, visits: Path | None, seed: int) -> dict[Question, list[tuple[str, int]]]:
    """By question, the texts whose words are counted, with their levels: the notes and vignettes that the encoder is
    taught, and all visits of the train split.

    Raises InputError where a question has texts of fewer than three levels.
    """
    cases: dict[Question, list[Case]] = {"handbook": [*notes(data), *vignettes(data, seed)]}
    if visits is not None and data.visits:
        cases["survey"] = visits_taught(visits)
    texts: dict[Question, list[tuple[str, int]]] = {
        question: [(case.narrative, case.gold or 0) for case in taught] for question, taught in cases.items()
    }
    for question, taught in texts.items():
        _check_levels([gold for _, gold in taught], question)
    return texts


def train_words(texts: Mapping[Question, Sequence[tuple[str, int]]], folder: Path) -> dict[str, int]:
    """Fit on `counted_texts` and write `folder`/words.safetensors. Returns how many texts each question had."""
    from safetensors.numpy import save_file

    tensors: dict[str, NDArray] = {}
    for question, taught in texts.items():
        narratives, gold = [text for text, _ in taught], [level for _, level in taught]
        fitted = fit_words(narratives, gold, curved(np.array([numbers_of(text) for text in narratives])), question)
        tensors |= {f"{question}.{name}": array for name, array in fitted.tensors().items()}
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / FILE)
    return {question: len(taught) for question, taught in texts.items()}


def open_words(file: Path) -> dict[Question, WordCounts]:
    """What `train_words` wrote, by question; a question that had no texts is not in it."""
    from safetensors.numpy import load_file

    tensors = load_file(file)
    return {
        question: WordCounts.of({name: tensors[f"{question}.{name}"] for name in ("words", "idf", "weights", "start")})
        for question in QUESTIONS
        if f"{question}.start" in tensors
    }


def fit_words(texts: Sequence[str], gold: Sequence[int], beside: NDArray[np.float32], question: str) -> WordCounts:
    """Fit on texts, their levels and what stands beside the words: (texts, any number), such as `curved` numbers.

    Raises InputError where the texts are of fewer than three levels.
    """
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    levels = _check_levels(gold, question)
    vectors = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=_FEWEST)
    counted = hstack([vectors.fit_transform(texts), beside]).tocsr()
    with threadpool_limits(1):  # several threads add in another order: other bytes on another machine
        fitted = LogisticRegression(C=_STRENGTH, max_iter=1000).fit(counted, gold)
    weights = np.zeros((fitted.coef_.shape[1], len(LEVELS)), np.float32)
    start = np.full(len(LEVELS), _NEVER, np.float32)
    weights[:, levels - 1], start[levels - 1] = fitted.coef_.T, fitted.intercept_
    index = {word: place for place, word in enumerate(vectors.get_feature_names_out().tolist())}
    idf = np.asarray(vectors.idf_, np.float32)
    return WordCounts(index, idf, weights, start)


def _check_levels(gold: Sequence[int], question: str) -> NDArray[np.int_]:
    levels = np.unique(gold)
    if len(levels) < 3:
        raise InputError(
            f"question {question}: its {len(gold)} training texts are of {len(levels)} levels; counting words needs "
            "texts of three levels or more. Give a larger table."
        )
    return levels


def curved(numbers: NDArray) -> NDArray[np.float32]:
    """(texts, 2 numbers): each number and its square, so that a value can be too low and too high."""
    return (_NUMBERS * np.concatenate([numbers, numbers**2], axis=1)).astype(np.float32)
