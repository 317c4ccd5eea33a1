"""The rules as the guard weighs them: their reply, with the odds that their findings have had in labelled notes."""

from dataclasses import replace
from functools import cache

import numpy as np

from ...esi import Case
from ...train.reader.findings_weights import FindingsWeights, open_findings
from ..model import Model, Probabilities, Reading, Reply, one_by_one, reply_of
from ..model_files import shipped_folder
from ..rules_model import NO_NOTE, is_note, reading_of, reply_from

FINDINGS = "findings"


def findings_model() -> Model:
    """The `findings` model: the level that such findings have mostly had. It needs no base, unlike the reader.

    The weights were fitted on the handbook's levels, and a hospital gives others: on another scale than `esi` its
    answer is that of the rules, without probabilities.
    """

    def reply_to(case: Case) -> Reply:
        reading = reading_of(case.narrative)
        if case.scale != "esi":
            return reply_from(reading)
        probabilities = _probabilities(case.narrative, reading)
        if probabilities is None:
            return NO_NOTE
        return reply_of(f"ANSWER: ESI {1 + int(np.argmax(probabilities))}", probabilities=probabilities)

    sha256 = findings_weights().sha256
    return replace(one_by_one(FINDINGS, reply_to), settings={"sha256": sha256})


def weighed_rules() -> Model:
    """The rules, whose replies carry `probabilities`: what `esi calibrate` fits the guard's weights on."""

    def reply_to(case: Case) -> Reply:
        return weighed_reply(case.narrative, reading_of(case.narrative))

    return one_by_one("rules", reply_to)


def weighed_reply(narrative: str, reading: Reading) -> Reply:
    """The rules' reply, with probabilities where the text is a note."""
    return replace(reply_from(reading), probabilities=_probabilities(narrative, reading))


@cache
def findings_weights() -> FindingsWeights:
    """Those that ship. Raises InputError where they are missing or damaged."""
    return open_findings(shipped_folder() / FINDINGS)


def _probabilities(narrative: str, reading: Reading) -> Probabilities | None:
    if not is_note(reading.findings):
        return None
    one, two, three, four, five = findings_weights().probabilities(narrative, *reading)
    return (one, two, three, four, five)
