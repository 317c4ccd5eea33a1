"""How the rules read notes that were written apart from them: every clue of the newer presentations, one note each.

Nobody who wrote these presentations had looked at the engine. While its vocabulary grew, errors were read in several
rounds; some of the presentations, by a hash of their names, stayed hidden in all. What no round read is the estimate
for cases that nobody has seen; the rest are development figures, upper bounds.

    python benchmarks/esi_clues.py
"""

import hashlib
import random
import tomllib
from collections.abc import Iterator
from importlib import resources

from esi_triage.data.corpus.made_vitals import draw_vitals, fitted, rounded_age
from esi_triage.data.corpus.presentations import Picture, Presentation
from esi_triage.data.narrative import vitals_text
from esi_triage.esi import assess
from esi_triage.evaluate.scored import scored
from esi_triage.evaluate.statistics.metrics import metrics
from esi_triage.page import interval
from esi_triage.progress import bar

# The presentations that were there when the engine was first written.
OLDER = (
    *("abdominal", "cardiac", "ent-eye", "genitourinary-obstetric", "infection", "metabolic", "minor", "neuro"),
    *("paediatric", "psychiatric-toxicology", "respiratory", "skin", "trauma"),
)
SHOWN = {
    "exact": "exact",
    "within_one": "within one level",
    "high_acuity_sensitivity": "sensitivity for levels 1 and 2",
    "under_triage": "under-triage",
    "over_triage": "over-triage",
}
Note = tuple[str, int, str]  # presentation, gold, text


def hidden(name: str) -> bool:
    """Whether no round read errors of this presentation: two hashes hid a third and a half of them."""
    third = int(hashlib.sha256(f"{name}E2".encode()).hexdigest(), 16) % 3 == 0
    return third and int(hashlib.sha256(name.encode()).hexdigest(), 16) % 2 == 1


def notes() -> Iterator[Note]:
    """One note of one or two sentences for each clue; three in five have vital signs."""
    folder = resources.files("esi_triage.data.corpus") / "presentations"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".toml") or file.name.removesuffix(".toml") in OLDER:
            continue
        for row in tomllib.loads(file.read_text(encoding="utf-8"))["presentation"]:
            presentation = Presentation.model_validate(row)
            rng = random.Random(presentation.name)
            clues = [(picture, clue) for picture in presentation.picture for clue in picture.clues]
            for i, (picture, clue) in enumerate(clues):
                complaint = presentation.complaint[i % len(presentation.complaint)]
                yield presentation.name, picture.level, _note(presentation, picture, complaint, clue, rng)


def _note(presentation: Presentation, picture: Picture, complaint: str, clue: str, rng: random.Random) -> str:
    age = rounded_age(rng.uniform(*presentation.age))
    years = f"{int(age)} y/o" if age >= 2 else f"{max(1, round(age * 12))} month old"
    pain_range = picture.pain or presentation.pain
    pain = rng.randint(*pain_range) if pain_range else None
    told = ""
    if rng.random() < 0.6:
        vitals = fitted(draw_vitals(picture.vitals, age, pain, 0, rng), age, picture.level)
        told = f" {vitals_text(vitals)}."
    if pain is not None:
        told += f" Pain {pain}/10."
    return f"{years} {presentation.sex or rng.choice('FM')}, {complaint}. {clue[0].upper()}{clue[1:]}.{told}"


def main() -> None:
    """Print the figures of each share, with 95 % intervals in which the notes of one presentation hang together."""
    found = list(notes())
    with bar("notes", len(found), "note") as shown:
        levels = [(shown.update(), assess(text).level)[1] for _, _, text in found]
    shares = {
        "read in no round": [hidden(name) for name, _, _ in found],
        "read (development)": [not hidden(name) for name, _, _ in found],
    }
    for share, chosen in shares.items():
        rows = [(note, level) for note, level, keep in zip(found, levels, chosen, strict=True) if keep]
        names = [name for (name, _, _), _ in rows]
        m = metrics(scored([gold for (_, gold, _), _ in rows], [level for _, level in rows], names))
        print(f"{share}: {m['n']} notes of {len(set(names))} presentations")
        for key, label in SHOWN.items():
            print(f"  {label:32} {interval(m[key])}")
        print(f"  {'level 1 found as 1':32} {interval(m['per_class']['1']['sensitivity'])}")


if __name__ == "__main__":
    main()
