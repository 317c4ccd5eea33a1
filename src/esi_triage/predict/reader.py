"""`reader`: a model that reads a note and gives five probabilities; and `risk`, its head for critical outcomes.

Two parts read the note, an encoder and a logistic regression on its words; the answer is the mean of their log
probabilities.

The reader answers two questions, each with a head of its own: `handbook`, the level that the ESI handbook gives, and
`survey`, the level that a US triage nurse gave in practice. `--model reader` asks the one that fits a case's scale
(`us-5-level` and `ktas`: survey; `esi`: handbook); `reader:survey` and `reader:handbook` ask one of them always.
"""

import hashlib
from collections.abc import Generator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..esi import Case
from ..reading import read_json
from ..train.reader.minilm import NAME, minilm
from ..train.reader.note_numbers import NUMBERS, numbers_of
from ..train.reader.settings import QUESTIONS, Question
from ..train.reader.words import FILE as WORDS
from ..train.reader.words import curved, open_words
from .model import Model, Probabilities, Reply, reply_of
from .model_files import shipped_folder

_BATCH = 32
_FILES = ("adapter_config.json", "adapter_model.safetensors", "head.safetensors", WORDS, "reader.json")


def find_reader(spec: str) -> Model:
    """`reader`, `reader:survey`, `reader:handbook`, or `reader:FOLDER` for one that was trained here."""
    rest = spec.partition(":")[2]
    if not rest or rest in QUESTIONS:
        return reader_model(question=rest or None)
    return reader_model(Path(rest))


def reader_model(folder: Path | None = None, question: Question | None = None) -> Model:
    """The reader that ships, or the one in `folder`; `question` as in the module's text, None for the case's own.

    Raises InputError where base weights or the reader's files are missing or altered.
    """
    if question is not None and question not in QUESTIONS:
        raise InputError(f"model reader:{question}: the questions are {' and '.join(QUESTIONS)}.")
    place = folder or shipped_folder() / "reader"
    reader = _opened(place)

    def stream(cases: Sequence[Case]) -> Generator[list[tuple[int, Reply]], None, None]:
        order = sorted(range(len(cases)), key=lambda i: len(cases[i].narrative))
        for start in range(0, len(order), _BATCH):
            places = order[start : start + _BATCH]
            asked: list[Question] = [question or question_of(cases[i]) for i in places]
            yield list(zip(places, reader.replies([cases[i].narrative for i in places], asked), strict=True))

    name = "reader" if question is None else f"reader:{question}"
    return Model(name, stream, settings={"question": question or "by scale", "sha256": reader.sha256})


def question_of(case: Case) -> Question:
    """Which question a case's label answers."""
    return "handbook" if case.scale == "esi" else "survey"


class Reader:
    """An opened reader: encoder, hidden layer and heads, and the words' weights."""

    def __init__(self, folder: Path) -> None:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        from .encoder import Encoder

        _check(folder)
        try:
            self._encoder = Encoder(minilm(), folder)
            self._head = load_file(folder / "head.safetensors")
            self._counts = open_words(folder / WORDS)
        except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
            raise InputError(f"{folder}: its files are damaged ({error}). Get it again, or train one.") from None
        self._last: tuple[tuple[str, ...], tuple[np.ndarray, list[int]]] | None = None
        self.sha256 = _hash(folder)

    def features(self, texts: Sequence[str]) -> tuple[np.ndarray, list[int]]:
        """(texts, width + numbers): the encoder's vectors beside the notes' numbers; and the windows of each text.

        Those of the last texts are remembered: the guard asks for the level and for the risk of the same notes.
        """
        asked, last = tuple(texts), self._last
        if last is None or last[0] != asked:
            vectors, windows = self._encoder.vectors(texts)
            numbers = np.array([numbers_of(text) for text in texts], np.float32)
            last = self._last = asked, (np.concatenate([vectors, numbers], axis=1), windows)
        return last[1]

    def log_probabilities(self, texts: Sequence[str], features: np.ndarray, question: Question) -> np.ndarray:
        """(texts, 5), up to a constant for each text: the mean of the two parts' answers to one question."""
        from scipy.special import log_softmax

        from .encoder import gelu

        seen = gelu(features @ self._head["hidden.weight"].T + self._head["hidden.bias"])
        head = seen @ self._head[f"heads.{question}.weight"].T + self._head[f"heads.{question}.bias"]
        encoded = log_softmax(head, axis=1)
        if question not in self._counts:
            return encoded
        counted = self._counts[question].scores(texts, curved(features[:, -NUMBERS:]))
        return (encoded + log_softmax(counted, axis=1)) / 2

    def replies(self, texts: Sequence[str], asked: Sequence[Question]) -> list[Reply]:
        """One reply for each text, by the question that is asked of it."""
        from .encoder import softmax

        features, windows = self.features(texts)
        answers = {question: softmax(self.log_probabilities(texts, features, question)) for question in set(asked)}
        return [_reply(tuple(answers[question][i].tolist()), windows[i]) for i, question in enumerate(asked)]


def risk_of(cases: Sequence[Case]) -> list[float]:
    """The predicted probability of a critical outcome (critical care or death) for each case, by the model `risk`.

    It was trained on outcomes of the survey's train years, which no other model sees. Raises InputError as
    `reader_model` does.
    """
    from safetensors.numpy import load_file

    head = load_file(shipped_folder() / "risk" / "head.safetensors")
    reader, found = _opened(shipped_folder() / "reader"), []
    for start in range(0, len(cases), _BATCH):
        features, _ = reader.features([case.narrative for case in cases[start : start + _BATCH]])
        scaled = (features - head["centre"]) / head["spread"]
        found += (1 / (1 + np.exp(-(scaled @ head["weight"] + head["bias"])))).tolist()
    return found


def _reply(probabilities: Probabilities, windows: int) -> Reply:
    from .encoder import WINDOWS

    reply = reply_of(f"ANSWER: ESI {1 + int(np.argmax(probabilities))}", probabilities=probabilities)
    if windows == 1:
        return reply
    said = f"a long note: it was read in {min(windows, WINDOWS)} parts, whose readings were averaged"
    if windows > WINDOWS:
        said += f"; the {windows - WINDOWS} parts after them were not read"
    return replace(reply, warnings=(said,))


@cache
def _opened(folder: Path) -> Reader:
    return Reader(folder)


def _check(folder: Path) -> None:
    for name in _FILES:
        if not (folder / name).is_file():
            raise InputError(f"{folder / name}: missing; {folder} holds no reader. Train one: esi train reader.")
    about = read_json(folder / "reader.json")
    base = about.get("base") if isinstance(about, dict) else None
    if base != NAME:
        raise InputError(f"{folder}: its base is {base!r}; the reader's is {NAME}.")


def _hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in _FILES:
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()
