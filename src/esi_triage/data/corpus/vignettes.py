"""The open corpus: made-up triage narratives with ESI levels, so that the whole chain runs without credentials.

The nurse who assigns the level sees the picture; the note mentions its clue only most of the time. So the text is
sometimes truly ambiguous, as real notes are, and no model can be right every time. Deterministic from a seed; streamed.

There are two streams. The full one (corpus_full.py) has every presentation in six styles and holds out whole
presentations. The core one has twenty presentations in three styles; the tiny base is made from it, so its bytes are
kept as they are.
"""

import random
from collections.abc import Iterator

from ...esi import Arrival, Case
from ..narrative import STYLES, Note, render
from ..splits import split_of
from .made_vitals import draw_vitals, rounded_age
from .presentations import Picture, Presentation, presentations
from .vignette import full_case

# Nearer to a teaching set than to an ED (MIMIC-IV-ED has 5.7/33.3/53.7/7.0/0.3 %): every level must be learnable.
PRIOR = {1: 0.10, 2: 0.30, 3: 0.34, 4: 0.16, 5: 0.10}
CLUE_MENTIONED = 0.7
NOT_RECORDED = {1: 0.30, 2: 0.06, 3: 0.04, 4: 0.06, 5: 0.10}  # the sickest go straight to the bay


def open_cases(n: int, seed: int = 0, core: bool = False) -> Iterator[Case]:
    """`n` cases, deterministic from `seed`; case i is the same whatever `n` is. `core`: of core presentations only."""
    return _core_cases(n, seed) if core else (full_case(i, seed) for i in range(n))


def _core_cases(n: int, seed: int) -> Iterator[Case]:
    drawn_from = [p for p in presentations() if p.core]
    by_level = {
        level: [(p, picture) for p in drawn_from for picture in p.picture if picture.level == level] for level in PRIOR
    }
    weights = {level: [picture.weight for _, picture in pairs] for level, pairs in by_level.items()}
    for i in range(n):
        rng = random.Random(f"{seed}:{i}")
        level = rng.choices(list(PRIOR), list(PRIOR.values()))[0]
        presentation, picture = rng.choices(by_level[level], weights[level])[0]
        yield _core_case(f"open-core-{seed}-{i:06d}", presentation, picture, rng)


def _core_case(case_id: str, presentation: Presentation, picture: Picture, rng: random.Random) -> Case:
    age = rounded_age(rng.uniform(*presentation.age))
    clue = rng.choice(picture.clues)
    mentioned = rng.random() < CLUE_MENTIONED
    urgent = picture.level <= 2
    arrivals: tuple[Arrival, ...] = ("ambulance", "walk-in")
    pain = rng.randint(*presentation.pain) if presentation.pain and picture.level > 1 else None
    note = Note(
        chief_complaint=rng.choice(presentation.complaint),
        age_years=age,
        sex=presentation.sex or rng.choice(("F", "M")),
        arrival=rng.choices(arrivals, (0.7, 0.3) if urgent else (0.15, 0.85))[0],
        vitals=draw_vitals(picture.vitals, age, pain, NOT_RECORDED[picture.level], rng),
        clue=clue if mentioned else None,
        history=rng.choice(presentation.history) if presentation.history and rng.random() < 0.4 else None,
    )
    return Case(
        case_id=case_id,
        source="open",
        licence="open",
        subject_id=case_id,
        stay_id=case_id,
        split=split_of(case_id),
        narrative=render(note, rng.choice(STYLES)),
        chief_complaint=note.chief_complaint,
        age_years=age,
        sex=note.sex,
        arrival=note.arrival,
        **note.vitals.model_dump(),
        gold=picture.level,
        gold_source="handbook",
        red_flags=(clue,) if mentioned and clue else (),
        resources=tuple(picture.resources),
        scenario=f"{presentation.name}: {picture.reason}",
        tags=(f"rule:{picture.rule}",),
    )
