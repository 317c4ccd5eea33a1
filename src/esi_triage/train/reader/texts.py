"""What the reader is taught: texts with the question that their label answers, and soft targets."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...data.case_table import good_cases
from ...data.corpus.nurse_notes import nurse_notes
from ...data.corpus.vignettes import open_cases
from ...data.sampling import trainable
from ...errors import InputError
from ...esi import LEVELS, Case
from .settings import Question, ReaderData


@dataclass(frozen=True, slots=True)
class Lesson:
    """One text, the question that its label answers, and the target: five weights that sum to 1."""

    narrative: str
    question: Question
    target: tuple[float, ...]


def lessons(data: ReaderData, visits: Path | None, seed: int) -> list[Lesson]:
    """All lessons in the order in which they are taught, deterministic from `seed`."""
    found = [*_visits(data, visits, seed), *_notes(data), *_vignettes(data, seed)]
    random.Random(seed).shuffle(found)
    return found


def notes(data: ReaderData) -> list[Case]:
    """The nurse notes that are taught."""
    return trainable(nurse_notes())[: data.notes]


def vignettes(data: ReaderData, seed: int) -> list[Case]:
    """The vignettes that are taught."""
    return trainable(open_cases(2 * data.vignettes, seed))[: data.vignettes]


def visits_taught(visits: Path) -> list[Case]:
    """The visits that can be taught. Raises InputError for a bad row, for no row to learn from, and another scale."""
    cases = trainable(good_cases(visits))
    if not cases:
        raise InputError(f"{visits}: no row of the split train with a level to learn; give such rows.")
    if wrong := next((case for case in cases if case.scale != "us-5-level"), None):
        raise InputError(
            f"{visits}: case {wrong.case_id} is on the scale {wrong.scale}; the question `survey` takes visits on "
            "the scale us-5-level (esi data build nhamcs)."
        )
    return cases


def batches(taught: list[Lesson], size: int, seed: int) -> list[list[Lesson]]:
    """Batches of texts of like length (less padding), in random order within each stretch of sixteen batches."""
    rng, found = random.Random(seed), []
    for start in range(0, len(taught), size * 16):
        stretch = sorted(taught[start : start + size * 16], key=lambda lesson: len(lesson.narrative))
        cut = [stretch[i : i + size] for i in range(0, len(stretch), size)]
        rng.shuffle(cut)
        found += cut
    return found


def soft_target(case: Case, also_ok: float) -> tuple[float, ...]:
    """Five weights: the gold, and the levels that a competent colleague could defend share `also_ok`."""
    others = [level for level in case.also_ok if level != case.gold]
    shared = also_ok / len(others) if others else 0.0
    gold = 1.0 - shared * len(others)
    return tuple(gold if level == case.gold else shared if level in others else 0.0 for level in LEVELS)


def _visits(data: ReaderData, visits: Path | None, seed: int) -> Iterator[Lesson]:
    if data.visits == 0:
        return
    if visits is None:
        raise InputError("data.visits: the reader learns from real visits; give their table: --data visits.parquet.")
    cases = visits_taught(visits)
    for case in random.Random(seed).sample(cases, min(data.visits, len(cases))):
        yield Lesson(case.narrative, "survey", soft_target(case, 0.0))


def _notes(data: ReaderData) -> Iterator[Lesson]:
    for case in notes(data):
        yield from [Lesson(case.narrative, "handbook", soft_target(case, data.also_ok))] * data.note_passes


def _vignettes(data: ReaderData, seed: int) -> Iterator[Lesson]:
    yield from (Lesson(case.narrative, "handbook", soft_target(case, data.also_ok)) for case in vignettes(data, seed))
