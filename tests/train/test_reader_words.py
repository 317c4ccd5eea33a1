"""The reader's part that counts words: its NumPy answers are scikit-learn's, and its file holds all that it needs."""

from pathlib import Path

import numpy as np
import pytest

from esi_triage.data.corpus.nurse_notes import nurse_notes
from esi_triage.data.sampling import trainable
from esi_triage.errors import InputError
from esi_triage.train.reader.note_numbers import numbers_of
from esi_triage.train.reader.settings import load_reader_experiment
from esi_triage.train.reader.words import FILE, counted_texts, curved, fit_words, open_words, train_words

NOTES = trainable(nurse_notes())[:300]
TEXTS, GOLD = [note.narrative for note in NOTES], [note.gold or 0 for note in NOTES]


def numbers(texts: list[str]) -> np.ndarray:
    return curved(np.array([numbers_of(text) for text in texts], np.float32))


def test_the_scores_are_those_of_scikit_learn() -> None:
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    fitted = fit_words(TEXTS, GOLD, numbers(TEXTS), "handbook")
    vectors = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=3).fit(TEXTS)
    new = [note.narrative for note in nurse_notes() if note.split == "train"][300:360]
    new += ["", "?", "Zoé’s café: naïve", "chest chest chest pain PAIN_ 12/10 b a"]
    expected = hstack([vectors.transform(new), numbers(new)]) @ fitted.weights + fitted.start
    assert fitted.scores(new, numbers(new)) == pytest.approx(np.asarray(expected), abs=1e-4)


def test_the_file_answers_as_what_was_fitted(tmp_path: Path) -> None:
    data = load_reader_experiment().data.model_copy(update={"visits": 0, "notes": 300, "vignettes": 0})
    assert train_words(counted_texts(data, None, 1), tmp_path) == {"handbook": 300}
    opened = open_words(tmp_path / FILE)
    assert list(opened) == ["handbook"], "a question without texts is not in the file"
    fitted = fit_words(TEXTS, GOLD, numbers(TEXTS), "handbook")
    said, kept = (counts.scores(TEXTS[:40], numbers(TEXTS[:40])) for counts in (fitted, opened["handbook"]))
    assert kept == pytest.approx(said, abs=0.05), "half precision"
    assert (kept.argmax(1) == said.argmax(1)).mean() > 0.9


def test_a_level_without_texts_is_never_answered_and_two_levels_are_too_few() -> None:
    known = [(text, level) for text, level in zip(TEXTS, GOLD, strict=True) if level > 1]
    texts, levels = [text for text, _ in known], [level for _, level in known]
    fitted = fit_words(texts, levels, numbers(texts), "handbook")
    assert (fitted.scores(TEXTS, numbers(TEXTS)).argmax(1) > 0).all()
    two = [(text, level) for text, level in known if level <= 3]
    texts, levels = [text for text, _ in two], [level for _, level in two]
    with pytest.raises(InputError, match="three levels or more"):
        fit_words(texts, levels, numbers(texts), "handbook")
