"""Typing errors that the corrector's own three operations did not make: typed by people, and by a slipping finger.

The generator takes a neighbouring key of a QWERTY keyboard, or lets a key bounce; the corrector knows swapped, lost and
doubled letters. What it cannot mend must at least not become another word.
"""

import random

import pytest

from esi_triage.esi import assess
from esi_triage.esi.read.typos import mended

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOURS = {
    letter: [row[j] for j in (i - 1, i + 1) if 0 <= j < len(row)] for row in _ROWS for i, letter in enumerate(row)
}
_WORDS = ("wheezing", "vomiting", "bleeding", "swelling", "headache", "laceration", "shortness", "confused", "diarrhea")

# as people typed them in the train notes
_TYPED = (
    ("breathlesness", "breathlessness"),
    ("daipers", "diapers"),
    ("diabtic", "diabetic"),
    ("eliqius", "eliquis"),
    ("phelgm", "phlegm"),
    ("sclap", "scalp"),
    ("temprature", "temperature"),
    ("tomorow", "tomorrow"),
)


def slipped(word: str, chance: random.Random) -> str:
    """The word with one letter from a neighbouring key, or one struck twice with a neighbour between."""
    at = chance.randrange(1, len(word))
    other = chance.choice(_NEIGHBOURS[word[at]])
    return word[:at] + other + word[at + 1 :] if chance.random() < 0.5 else word[: at + 1] + other + word[at + 1 :]


@pytest.mark.parametrize(("typed", "meant"), _TYPED)
def test_what_people_typed_is_mended(typed: str, meant: str) -> None:
    assert mended(typed) == meant


def test_a_slip_to_the_next_key_never_becomes_another_word() -> None:
    chance = random.Random(3)
    for word in _WORDS:
        for _ in range(40):
            typed = slipped(word, chance)
            assert mended(typed) in (typed, word), (typed, mended(typed))


def test_one_typing_error_moves_few_levels() -> None:
    chance = random.Random(5)
    notes = (
        "54 M chest pain and sweating. BP 150/90, HR 90.",
        "30 F laceration of the forearm, bleeding controlled.",
        "8 yo boy vomiting and diarrhea since morning, lips dry.",
        "70 F headache and confused since breakfast.",
    )
    same = total = 0
    for note in notes:
        words = note.split()
        places = [i for i, word in enumerate(words) if word.isalpha() and word.islower() and len(word) >= 5]
        for i in places:
            for _ in range(5):
                changed = " ".join([*words[:i], slipped(words[i], chance), *words[i + 1 :]])
                total += 1
                same += assess(note).level in assess(changed).possible
    assert same >= 0.8 * total
