"""Which picture of which presentation a case of the full corpus shows, and with what complaint."""

import tomllib
from collections import Counter, defaultdict
from functools import cache
from importlib import resources
from itertools import accumulate
from typing import Any

from ...esi.catalogue import entries
from .catalogue_scenarios import catalogue_presentations
from .presentations import Picture, Presentation, presentations

OWN_WORDING = 3  # a presentation's complaints are this much likelier than the words of its catalogue entry
_PLAIN_TROUBLE = {"pain", "painful", "ache", "aching", "hurts", "sore", "problem", "trouble", "complaint", "in", "the"}
_HALF = {"on", "by", "into", "an", "of", "a", "to", "with"}  # a phrase that goes on after its last word


@cache
def pictures(level: int, catalogue: bool) -> tuple[list[tuple[Presentation, Picture]], list[float]]:
    """The pictures of a level, written ones or the catalogue's, and their weights summed up.

    Each catalogue entry counts by how common it is (common.toml), however many presentations share it; within it a
    written picture counts by its own weight. The catalogue's own entries have from one to two hundred pictures: there
    the pictures of a level share the entry's weight.
    """
    source = catalogue_presentations() if catalogue else presentations()
    pairs = [(p, picture) for p in source for picture in p.picture if picture.level == level]
    kin = Counter(_entry(p) for p in source)
    total: dict[str, float] = defaultdict(float)
    for presentation, picture in pairs:
        total[presentation.name] += picture.weight
    shares = [picture.weight / (total[p.name] if catalogue else kin[_entry(p)]) for p, picture in pairs]
    return pairs, list(accumulate(share * _how_common(p) for share, (p, _) in zip(shares, pairs, strict=True)))


def _entry(presentation: Presentation) -> str:
    return presentation.entry or presentation.name


def _how_common(presentation: Presentation) -> float:
    common = _common()
    return common["weight"] if presentation.entry in common["entries"] else 1.0


@cache
def _common() -> dict[str, Any]:
    file = resources.files("esi_triage.data.corpus") / "common.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


@cache
def complaints(written: tuple[str, ...], entry: str | None) -> tuple[str, ...]:
    """A presentation's own complaints, and phrases of its catalogue entry that say no more than these do.

    An entry also has words for what only some of its patients have ("testicular torsion" under testicular pain), so a
    phrase must consist of words that the presentation uses itself, and of words for plain trouble.
    """
    said = entries()[entry].say if entry and entry in entries() else ()
    own = {word for complaint in written for word in complaint.lower().split()}
    like = [phrase for phrase in said if own & set(phrase.split()) and set(phrase.split()) <= own | _PLAIN_TROUBLE]
    like = [phrase for phrase in like if phrase.split()[-1] not in _HALF]
    return written * OWN_WORDING + tuple(like[: len(written) * OWN_WORDING])
