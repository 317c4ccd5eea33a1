"""A small open corpus: made-up triage narratives with ESI levels, so that the whole chain runs without credentials.

A presentation (presentations/*.toml) can be several pictures at several levels. The nurse who assigns the level sees
the picture; the note mentions its clue only most of the time. So the text is sometimes truly ambiguous, as real notes
are, and no model can be right every time. Deterministic from a seed; streamed.
"""

import random
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ..errors import validated
from ..esi import Arrival, Case, Sex, Vitals
from .narrative import STYLES, Note, render
from .split import split_of

Profile = Literal["normal", "fever", "tachycardic", "fast-breathing", "hypoxic", "shock", "bradycardic", "hypertensive"]

# Nearer to a teaching set than to an ED (MIMIC-IV-ED has 5.7/33.3/53.7/7.0/0.3 %): every level must be learnable.
PRIOR = {1: 0.10, 2: 0.30, 3: 0.34, 4: 0.16, 5: 0.10}
CLUE_MENTIONED = 0.7
NOT_RECORDED = {1: 0.30, 2: 0.06, 3: 0.04, 4: 0.06, 5: 0.10}  # the sickest go straight to the bay


class Picture(BaseModel):
    """One way in which a presentation presents, and the level that it has by the handbook."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: int = Field(ge=1, le=5)
    weight: float = Field(gt=0)
    clues: tuple[str, ...] = Field(min_length=1)
    reason: str
    rule: str
    vitals: Profile
    resources: tuple[str, ...] = ()


class Presentation(BaseModel):
    """What patients come with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    core: bool = Field(default=False, description="one of the twenty on which the tiny base works")
    complaint: tuple[str, ...] = Field(min_length=1)
    age: tuple[float, float]
    sex: Sex | None = None
    pain: tuple[int, int] | None = None
    history: tuple[str, ...] = ()
    picture: tuple[Picture, ...] = Field(min_length=1)


@cache
def presentations() -> tuple[Presentation, ...]:
    """All presentations that ship with the package, in file order."""
    found: list[Presentation] = []
    folder = resources.files("esi_triage.data") / "presentations"
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            rows = tomllib.loads(file.read_text(encoding="utf-8"))["presentation"]
            found += [validated(Presentation, row, where=f"{file.name}, {row.get('name')}") for row in rows]
    return tuple(found)


def open_cases(n: int, seed: int = 0, core: bool = False) -> Iterator[Case]:
    """`n` cases, deterministic from `seed`; case i is the same whatever `n` is. `core`: of core presentations only."""
    drawn_from = [p for p in presentations() if p.core or not core]
    by_level = {
        level: [(p, picture) for p in drawn_from for picture in p.picture if picture.level == level] for level in PRIOR
    }
    weights = {level: [picture.weight for _, picture in pairs] for level, pairs in by_level.items()}
    for i in range(n):
        rng = random.Random(f"{seed}:{i}")
        level = rng.choices(list(PRIOR), list(PRIOR.values()))[0]
        presentation, picture = rng.choices(by_level[level], weights[level])[0]
        yield _case(f"open-{'core-' if core else ''}{seed}-{i:06d}", presentation, picture, rng)


def _case(case_id: str, presentation: Presentation, picture: Picture, rng: random.Random) -> Case:
    age = _rounded_age(rng.uniform(*presentation.age))
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
        vitals=_vitals(picture.vitals, age, pain, NOT_RECORDED[picture.level], rng),
        clue=clue if mentioned else None,
        history=rng.choice(presentation.history) if presentation.history and rng.random() < 0.4 else None,
    )
    tags = [f"presentation:{presentation.name}", f"reason:{picture.reason}", f"rule:{picture.rule}"]
    tags += [f"flag:{clue}"] if mentioned else []
    tags += [f"resource:{resource}" for resource in picture.resources]
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
        gold_source="engine",
        tags=tuple(tags),
    )


def _rounded_age(age: float) -> float:
    return float(int(age)) if age >= 2 else round(age, 3)


# Resting heart rate, respiratory rate and systolic pressure by age (upper bound in years); the danger-zone limits of
# ESI v5 ch. 6 lie well above them. Means; the spread is 8 %.
_RESTING = (
    (1 / 12, 140, 42, 75),
    (1, 130, 36, 88),
    (3, 112, 28, 95),
    (5, 98, 25, 100),
    (12, 90, 21, 105),
    (200, 78, 16, 126),
)


def _vitals(profile: Profile, age: float, pain: int | None, missing: float, rng: random.Random) -> Vitals:
    heart, breath, pressure = next(row[1:] for row in _RESTING if age < row[0])

    def near(mean: float, spread: float = 0.08) -> float:
        return mean * (1 + spread * max(-1.8, min(1.8, rng.gauss(0, 1))))

    hr, rr, sbp, spo2, temperature = (
        near(heart),
        near(breath),
        near(pressure),
        rng.choice((96, 97, 98, 99, 100)),
        near(36.8, 0.006),
    )
    if profile == "fever":
        temperature, hr = near(38.8, 0.01), near(heart * 1.12)
    elif profile == "tachycardic":
        hr = near(heart * 1.75)
    elif profile == "fast-breathing":
        rr, hr, spo2 = near(breath * 1.75), near(heart * 1.3), rng.choice((92, 93, 94, 95))
    elif profile == "hypoxic":
        rr, hr, spo2 = near(breath * 1.8), near(heart * 1.4), rng.randint(78, 89)
    elif profile == "shock":
        sbp, hr, rr, spo2 = near(pressure * 0.6), near(heart * 1.65), near(breath * 1.6), rng.randint(86, 94)
    elif profile == "bradycardic":
        hr = near(heart * 0.48)
    elif profile == "hypertensive":
        sbp = near(pressure * 1.5)
    dbp = round(sbp) * rng.uniform(0.55, 0.68)
    values: dict[str, float | None] = {
        "temperature_c": round(temperature, 1),
        "heart_rate": round(hr),
        "resp_rate": round(rr),
        "spo2": spo2,
        "sbp": round(sbp),
        "dbp": round(dbp),
        "pain": pain,
    }
    if rng.random() < missing:  # nobody measured anything
        return Vitals()
    if rng.random() < 0.15:  # one sign was forgotten
        forgotten = rng.choice(("temperature_c", "resp_rate", "spo2", "sbp"))
        values[forgotten] = None
        if forgotten == "sbp":
            values["dbp"] = None
    return Vitals(**values)
