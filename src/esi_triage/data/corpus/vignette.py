"""One case of the full open corpus: a picture drawn, worded in a style, with remarks that must not change the level.

Cases come in blocks of two. In a share of the blocks the two are a contrast pair: same patient, same style, one change
that decides the level. Whole presentations are held out, contrast pairs among them.
"""

import random
import re
from dataclasses import dataclass

from ...esi import LEVELS, Arrival, Case, Sex, Vitals, danger_zone_vitals
from ..splits import split_of
from .catalogue_scenarios import CATALOGUE
from .distractors import draw_asides
from .made_vitals import draw_vitals, fitted, rounded_age
from .presentations import Picture, Presentation, contrasts
from .sampled_scenario import complaints, pictures
from .styles import STYLES, Story, normal_text, signs_text, tell, worded

# Not an ED's shares (MIMIC-IV-ED has 5.7/33.3/53.7/7.0/0.3 %): each level is to be learned as well as any.
PRIOR = dict.fromkeys(LEVELS, 0.2)
# A nurse decides by what she sees. Notes leave it out, but only where the level is the complaint's most usual one.
CLUE_MENTIONED = 0.7
CONTRAST_SHARE = 0.1
CATALOGUE_SHARE = 0.3  # of the rest
NOT_RECORDED = {1: 0.30, 2: 0.06, 3: 0.04, 4: 0.06, 5: 0.10}  # the sickest go straight to the bay
BY_AMBULANCE = {1: 0.8, 2: 0.5, 3: 0.25, 4: 0.12, 5: 0.06}
IN_A_PAIR = 0.35  # who comes by ambulance where both of a contrast pair must come the same way
STYLE_SHARES = {"prose": 0.24, "telegraphic": 0.20, "handoff": 0.0, "quote": 0.18, "dictated": 0.12, "brief": 0.26}
HANDOFF_SHARE = 0.6  # of those who come by ambulance
NO_SIGNS = 0.22  # notes that leave the vital signs out
SIGNS_NORMAL = {1: 0.02, 2: 0.12, 3: 0.2, 4: 0.35, 5: 0.4}  # that only say they are normal: the less ill, the likelier
HISTORY = {1: 0.4, 2: 0.45, 3: 0.4, 4: 0.25, 5: 0.2}
NOT_TAKEN = ("vital signs not recorded", "no vitals yet", "straight to the bay, vitals not taken")

_FEMALE, _MALE = re.compile(r"\b(?:she|her|hers|herself)\b"), re.compile(r"\b(?:he|his|him|himself)\b")


@dataclass(frozen=True, slots=True)
class _Patient:
    age: float
    sex: Sex
    arrival: Arrival
    style: str
    british: bool
    clue: str
    said: str | None
    complaint: str
    wording: float


def full_case(i: int, seed: int) -> Case:
    """Case `i` of the full corpus; it depends on `seed` and `i` alone."""
    case_id = f"open-{seed}-{i:06d}"
    rng = random.Random(f"{seed}:block:{i // 2}")
    if rng.random() < CONTRAST_SHARE:
        presentation = rng.choice(contrasts())
        return _case(case_id, presentation, presentation.picture[i % 2], IN_A_PAIR, rng)
    rng = random.Random(f"{seed}:{i}")
    level = rng.choices(list(PRIOR), list(PRIOR.values()))[0]
    pairs, weights = pictures(level, rng.random() < CATALOGUE_SHARE)
    presentation, picture = rng.choices(pairs, cum_weights=weights)[0]
    return _case(case_id, presentation, picture, BY_AMBULANCE[level], rng)


def _case(case_id: str, presentation: Presentation, picture: Picture, ambulance: float, rng: random.Random) -> Case:
    patient = _patient(presentation, picture, ambulance, rng)
    signs, vitals = _signs(presentation, picture, patient, random.Random(rng.random()))
    story = _story(presentation, picture, patient, signs, rng)
    narrative = tell(story, patient.style, random.Random(patient.wording))
    told = story.complaint.lower() in narrative.lower()
    return Case(
        case_id=case_id,
        source="open",
        licence="open",
        subject_id=case_id,
        stay_id=case_id,
        split=split_of(presentation.name),
        narrative=narrative,
        chief_complaint=story.complaint if told else story.said or story.clue,
        age_years=patient.age,
        sex=patient.sex,
        arrival=patient.arrival,
        **vitals.model_dump(),
        gold=picture.level,
        gold_source="engine" if _of_catalogue(presentation) else "handbook",
        red_flags=(story.clue,) if story.clue else (),
        resources=tuple(picture.resources),
        vitals_stated=signs if signs and vitals == Vitals() and signs not in NOT_TAKEN else None,
        scenario=f"{presentation.name}: {picture.reason}",
        tags=(f"style:{patient.style}", f"rule:{picture.rule}"),
    )


def _of_catalogue(presentation: Presentation) -> bool:
    return presentation.name.startswith(CATALOGUE)


def _patient(presentation: Presentation, picture: Picture, ambulance: float, rng: random.Random) -> _Patient:
    """Every draw is made for every patient, so that both of a contrast pair are alike."""
    more_from = None if _of_catalogue(presentation) else presentation.entry  # whose wordings are chosen
    clue, complaint = rng.choice(picture.clues), rng.choice(complaints(presentation.complaint, more_from))
    said = _said(presentation, picture, rng.random(), rng.random())
    drawn: Sex = rng.choice(("F", "M"))
    by_ambulance, hands_off = rng.random() < ambulance, rng.random() < HANDOFF_SHARE
    style = rng.choices(STYLES, [STYLE_SHARES[style] for style in STYLES])[0]
    return _Patient(
        age=rounded_age(rng.uniform(*presentation.age)),
        sex=presentation.sex or _sex_told(f"{complaint} {clue} {said}") or drawn,
        arrival="ambulance" if by_ambulance else "walk-in",
        style="handoff" if by_ambulance and hands_off else "prose" if style == "quote" and not said else style,
        british=rng.random() < 0.2,
        clue=clue,
        said=said,
        complaint=complaint,
        wording=rng.random(),
    )


def _said(presentation: Presentation, picture: Picture, which: float, place: float) -> str | None:
    """The deciding words where the picture has some, else the complaint's; at level 1 people rarely speak."""
    words = picture.said if which < 0.6 or picture.level == 1 else presentation.said
    words = words or (presentation.said if picture.level > 1 else ())
    return words[int(place * len(words))] if words else None


def _sex_told(text: str) -> Sex | None:
    female, male = _FEMALE.search(text), _MALE.search(text)
    if (female is None) == (male is None):
        return None
    return "F" if female else "M"


def _signs(
    presentation: Presentation, picture: Picture, patient: _Patient, rng: random.Random
) -> tuple[str | None, Vitals]:
    """How the vital signs are told, and the values that the note gives."""
    pain_range = picture.pain or presentation.pain
    pain = rng.randint(*pain_range) if pain_range and picture.level > 1 else None
    how, not_recorded = rng.random(), NOT_RECORDED[picture.level]
    vitals = fitted(draw_vitals(picture.vitals, patient.age, pain, not_recorded, rng), patient.age, picture.level)
    if patient.style == "brief" or how < NO_SIGNS:
        return None, Vitals()
    if vitals == Vitals():
        return rng.choice(NOT_TAKEN[: 3 if picture.level <= 2 else 2]), vitals
    plain = picture.vitals == "normal" and not danger_zone_vitals(patient.age, vitals)
    if plain and how < NO_SIGNS + SIGNS_NORMAL[picture.level]:
        return normal_text(rng), Vitals()
    return signs_text(vitals, rng), vitals


def _story(
    presentation: Presentation, picture: Picture, patient: _Patient, signs: str | None, rng: random.Random
) -> Story:
    told_anyway = patient.style == "brief" or _of_catalogue(presentation) or picture.level != presentation.usual_level
    mentioned = rng.random() < CLUE_MENTIONED or told_anyway
    quoted = rng.random() < {"quote": 1.0, "brief": 0.15}.get(patient.style, 0.3)
    said = patient.said if quoted else None
    history = (
        rng.choice(presentation.history) if presentation.history and rng.random() < HISTORY[picture.level] else None
    )
    n = 0 if patient.style == "brief" else rng.choice((0, 1, 1, 2, 2, 3, 3, 4, 6))
    about = f"{patient.complaint} {patient.clue} {patient.said} {history}"
    asides = draw_asides(about, patient.age, patient.sex, picture.level, presentation.entry, n, rng, not history)

    slips = random.Random(patient.wording)

    def told(text: str) -> str:
        return worded(text, patient.style, patient.british, slips)

    return Story(
        complaint=told(patient.complaint),
        age_years=patient.age,
        sex=patient.sex,
        arrival=patient.arrival,
        vitals=signs,
        clue=told(patient.clue) if mentioned and patient.clue else None,
        said=told(said) if said else None,
        history=told(history) if history and patient.style != "brief" else None,
        asides=tuple(told(aside) for aside in asides),
    )
