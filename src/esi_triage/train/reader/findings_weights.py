"""`findings`: what the engine's findings have meant in labelled notes, as odds of the five levels.

The rules decide by the handbook on what they could read. Where they read a note in part, or wrongly, what they found is
still evidence: a logistic regression on the findings with their status, the decision points' answers, the levels that
stay possible, the note's numbers and its words, fitted on the notes and vignettes that the reader is taught. The guard
weighs it beside its learned model, whichever that is.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...atomic_files import write_json
from ...errors import InputError
from ...esi import Decision, Findings, decide, read
from ...progress import bar
from .note_numbers import NUMBERS, numbers_of
from .settings import ReaderExperiment
from .texts import notes, vignettes
from .words import WordCounts, curved, fit_words

FILE = "findings.safetensors"
_FEWEST = 3  # notes in which a mark must stand
_MARK = 0.4  # what a mark weighs beside a word: of 0.2, 0.3 and 0.4 the least log loss of the guard on tuning notes


@dataclass(frozen=True)
class FindingsWeights:
    """The fitted weights: `marks` are the places of the marks (see `marks_of`) beside the words of `counts`."""

    marks: dict[str, int]
    counts: WordCounts
    sha256: str = ""

    def probabilities(self, narrative: str, findings: Findings, decision: Decision) -> tuple[float, ...]:
        """Five probabilities for a narrative with what the engine read in it and decided."""
        beside = _beside([narrative], [marks_of(findings, decision)], self.marks)
        scores = self.counts.scores([narrative], beside)[0]
        odds = np.exp(scores - scores.max())
        return tuple((odds / odds.sum()).tolist())


def marks_of(findings: Findings, decision: Decision) -> set[str]:
    """What the engine made of a note, as words: each finding with its status, each decision point with its answer, the
    level, and the levels that stay possible."""
    found = {f"{item.name} {item.status}" for item in findings.items}
    found |= {f"point {step.point}: {step.answer}" for step in decision.steps}
    return found | {f"level {decision.level}"} | {f"possible {level}" for level in decision.possible}


def train_findings(experiment: ReaderExperiment, folder: Path) -> dict[str, Any]:
    """Fit on the notes and vignettes of `experiment` and write `folder`: findings.safetensors and findings.json.

    Returns what findings.json says. Raises InputError where the texts are of fewer than three levels.
    """
    from safetensors.numpy import save_file

    cases = [*notes(experiment.data), *vignettes(experiment.data, experiment.seed)]
    texts, marked = [case.narrative for case in cases], []
    with bar("the engine reads", len(texts), "note") as progress:
        for text in texts:
            findings = read(text)
            marked.append(marks_of(findings, decide(findings)))
            progress.update(1)
    gold = [case.gold or 0 for case in cases]
    fitted = fit_findings(texts, gold, marked)
    folder.mkdir(parents=True, exist_ok=True)
    marks = np.frombuffer("\n".join(fitted.marks).encode(), np.uint8)
    save_file({**fitted.counts.tensors(), "marks": marks}, folder / FILE)
    facts = {
        "name": "findings",
        "data_sha256": sha256(json.dumps([texts, gold]).encode()).hexdigest(),
        "notes": len(cases),
        "marks": len(fitted.marks),
        "words": len(fitted.counts.index),
    }
    write_json(folder / "findings.json", facts)
    return facts


def fit_findings(texts: Sequence[str], gold: Sequence[int], marked: Sequence[set[str]]) -> FindingsWeights:
    """Fit on texts, their levels and their marks. Raises InputError where they are of fewer than three levels."""
    names, counts = np.unique([mark for marks in marked for mark in sorted(marks)], return_counts=True)
    known = {name: place for place, name in enumerate(names[counts >= _FEWEST].tolist())}
    return FindingsWeights(known, fit_words(texts, gold, _beside(texts, marked, known), "handbook"))


def open_findings(folder: Path) -> FindingsWeights:
    """What `train_findings` wrote. Raises InputError where it is missing or damaged."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    file = folder / FILE
    try:
        held = file.read_bytes()
        tensors = load(held)
        marks = tensors["marks"].tobytes().decode().split("\n")
        counts = WordCounts.of(tensors)
        if len(counts.idf) + 2 * NUMBERS + len(marks) != len(counts.weights):
            raise ValueError("its parts do not fit together")
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        again = f"Get it again, or make it: esi train findings -o {folder}"
        raise InputError(f"{file}: missing or damaged ({error}). {again}.") from None
    return FindingsWeights({mark: place for place, mark in enumerate(marks)}, counts, sha256(held).hexdigest())


def _beside(texts: Sequence[str], marked: Sequence[set[str]], known: dict[str, int]) -> NDArray[np.float32]:
    """(texts, numbers and marks): what stands beside the words."""
    found = np.zeros((len(texts), len(known)), np.float32)
    for row, marks in zip(found, marked, strict=True):
        row[[known[mark] for mark in marks if mark in known]] = _MARK
    return np.concatenate([curved(np.array([numbers_of(text) for text in texts])), found], axis=1)
