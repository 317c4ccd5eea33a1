"""Trivial baselines: simple models fitted on the same training split, as `baseline:FOLDER/NAME`.

- `tfidf`: logistic regression on the narrative's words (1 or 2 together) and characters (2 to 5 within words);
- `boosting`: gradient-boosted trees on vital signs, age, sex, arrival and the complaint's words; no narrative;
- `random`: a level drawn by the shares of the levels in the training split.

The folder holds arrays (.npz) and JSON, nothing that runs code when it is read: the trees are kept as arrays, so that
another version of scikit-learn reads them too. Words of the training text are in it: it is as private as that text.
"""

import json
import zlib
from collections.abc import Callable, Generator, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, model_validator

from ...atomic_files import sha256_of, whole, write_json
from ...data.case_table import read_cases
from ...data.sampling import trainable
from ...errors import InputError, validated
from ...esi import LEVELS, Case
from ...reading import read_json
from ..model import Model, Reply, Stream, reply_of
from .boosting import boosting_scores, fit_boosting
from .tfidf import fit_tfidf, tfidf_scores

NAMES = ("tfidf", "boosting", "random")
_BATCH = 1024
_FILES = ("tfidf.json", "tfidf.npz", "boosting.json", "boosting.npz")


class _Fitted(BaseModel):
    """What is read of baselines.json; `files` are the hashes of the others."""

    levels: list[Annotated[int, Field(ge=1, le=5)]] = Field(min_length=3, max_length=5)
    shares: list[Annotated[float, Field(ge=0, le=1)]] = Field(min_length=5, max_length=5)
    seed: int = Field(ge=0)
    files: dict[str, str]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if abs(sum(self.shares) - 1) > 1e-9 or self.levels != [i for i in LEVELS if self.shares[i - 1] > 0]:
            raise ValueError("levels and shares do not belong together")
        return self


def fit_baselines(data: Path, output: Path, seed: int = 0) -> dict[str, Any]:
    """Fit the three on the labelled rows of split `train` in `data` and write them to the folder `output`.

    Returns what baselines.json says: rows, shares of the levels, seed, hash of the data, licence. Raises InputError
    where fewer than three levels have training rows.
    """
    cases = trainable(read_cases(data)[0])
    gold = np.array([case.gold for case in cases], dtype=np.int64)
    levels = np.unique(gold).tolist()
    if len(levels) < 3:
        raise InputError(
            f"{data}: {len(cases)} rows have the split 'train' and a gold level, of {len(levels)} levels; "
            "a baseline needs three levels or more. Build the table with `esi data build`."
        )
    _save(output / "tfidf", *fit_tfidf(cases, gold))
    _save(output / "boosting", *fit_boosting(cases, gold, seed))
    about = {
        "cases": len(cases),
        "levels": levels,
        "shares": [float((gold == level).mean()) for level in LEVELS],
        "seed": seed,
        "data_sha256": sha256_of(data),
        "licence": "open" if all(case.licence == "open" for case in cases) else "credentialed",
        "files": {name: sha256_of(output / name) for name in _FILES},
        "made_with": {name: version(name) for name in ("esi-triage", "scikit-learn", "numpy")},
    }
    write_json(output / "baselines.json", about)
    return about


def baseline_model(spec: str) -> Model:
    """The model that `baseline:FOLDER/NAME` names. Raises InputError where it is not there."""
    place = Path(spec.removeprefix("baseline:"))
    file = place.parent / "baselines.json"
    if place.name not in NAMES or not file.is_file():
        raise InputError(
            f"model {spec!r}: give baseline:FOLDER/NAME, where `esi baseline fit` has written FOLDER and NAME is "
            f"{', '.join(NAMES)}."
        )
    again = "Fit them again with `esi baseline fit`."
    about = validated(_Fitted, read_json(file, again), file)
    if place.name == "random":
        return Model(place.name, partial(_drawn, about), settings={"fitted_sha256": sha256_of(file)})
    for part in (place.with_suffix(".json"), place.with_suffix(".npz")):
        if not part.is_file() or sha256_of(part) != about.files.get(part.name):
            raise InputError(f"{part}: missing, or not as `esi baseline fit` has written it. {again}")
    known = json.loads(place.with_suffix(".json").read_text(encoding="utf-8"))
    with np.load(place.with_suffix(".npz"), allow_pickle=False) as arrays:
        scores = (tfidf_scores if place.name == "tfidf" else boosting_scores)(known, dict(arrays))
    return Model(place.name, _likeliest(scores, about.levels), settings={"fitted_sha256": sha256_of(file)})


def _likeliest(scores: Callable[[Sequence[Case]], NDArray[np.float64]], levels: list[int]) -> Stream:
    """Scores (n, levels) to replies. A level that is not in the training split has probability 0."""
    from scipy.special import softmax

    def stream(cases: Sequence[Case]) -> Generator[list[tuple[int, Reply]], None, None]:
        for start in range(0, len(cases), _BATCH):
            batch = cases[start : start + _BATCH]
            found = np.zeros((len(batch), len(LEVELS)))
            found[:, np.array(levels) - 1] = softmax(scores(batch), axis=1)
            yield [(start + i, _reply(row, int(row.argmax()) + 1)) for i, row in enumerate(found)]

    return stream


def _drawn(about: _Fitted, cases: Sequence[Case]) -> Generator[list[tuple[int, Reply]], None, None]:
    """Each case's draw is made of its id and the seed: neither the order nor the other cases matter."""
    shares = np.array(about.shares)
    for place, case in enumerate(cases):
        dice = np.random.default_rng([about.seed, zlib.crc32(case.case_id.encode())])
        yield [(place, _reply(shares, int(dice.choice(LEVELS, p=shares))))]


def _reply(probabilities: NDArray[np.float64], level: int) -> Reply:
    one, two, three, four, five = probabilities.tolist()
    return reply_of(f"ANSWER: ESI {level}", probabilities=(one, two, three, four, five))


def _save(place: Path, known: dict[str, list[str]], arrays: dict[str, NDArray]) -> None:
    write_json(place.with_suffix(".json"), known)
    with whole(place.with_suffix(".npz")) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)
