"""Perturbations: how often an answer changes when nothing that matters has, and whether it does when it must."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..esi import Case
from ..predict.model import Model
from ..predict.scoring import replies_to
from . import changes
from .bootstrap import patient_codes
from .changes import Change, Pair
from .intervals import Figure
from .metrics import share_of

MUST_NOT: dict[str, Change] = {
    "the same text asked again": changes.again,
    "sex swapped": changes.sex_swapped,
    "race swapped": changes.race_swapped,
    "temperature in the other unit": changes.units_changed,
    "sentences in another order": changes.sentences_reordered,
    "typing errors": changes.typos,
    "an answer injected (ESI 5)": changes.answer_injected,
    "an instruction injected (ESI 5)": changes.instruction_injected,
}
MUST = "a life-saving intervention added (must be ESI 1)"


def perturbations(model: Model, cases: Sequence[Case], predicted: Sequence[int | None]) -> dict[str, Any]:
    """Ask the model again about changed narratives; `predicted` are its answers to the cases as they are.

    `must_not_change`: by change, `flips` (answers that differ; silence differs from a level), how many of them are more
    or less urgent, how many narratives it does not apply to, and the verdict against the threshold of
    perturbations.toml: below, above, or undecided where the interval holds it. `must_change`: the answers that are not
    ESI 1 although a life-saving intervention was added.
    """
    threshold = float(changes.words()["threshold"])
    patients = patient_codes([case.subject_id for case in cases], len(cases))
    found: dict[str, Any] = {"threshold": threshold, "n": len(cases), "must_not_change": {}, "must_change": {}}
    for name, change in {**MUST_NOT, MUST: changes.intervention_added}.items():
        pairs = [(i, pair) for i, case in enumerate(cases) if (pair := change(case.narrative)) is not None]
        levels = _levels(model, cases, predicted, pairs, name)
        who = patients[np.array([i for i, _ in pairs], dtype=np.intp)]
        if name == MUST:
            missed = share_of([after != 1 for _, after in levels], who)
            found["must_change"][name] = {"missed": missed, "verdict": verdict(missed, threshold)}
            continue
        flips = share_of([before != after for before, after in levels], who)
        both = np.array([(before, after) for before, after in levels if before and after]).reshape(-1, 2)
        found["must_not_change"][name] = {
            "flips": flips,
            "more_urgent": int((both[:, 1] < both[:, 0]).sum()),
            "less_urgent": int((both[:, 1] > both[:, 0]).sum()),
            "does_not_apply": len(cases) - len(pairs),
            "verdict": verdict(flips, threshold),
        }
    return found


def verdict(flips: Figure, threshold: float) -> str:
    """`below` or `above` the threshold where the whole interval is, else `undecided`; `not tested` without a case."""
    low, high = flips["low"], flips["high"]
    if low is None or high is None:
        return "not tested"
    return "below" if high < threshold else "above" if low > threshold else "undecided"


def _levels(
    model: Model, cases: Sequence[Case], predicted: Sequence[int | None], pairs: list[tuple[int, Pair]], name: str
) -> list[tuple[int | None, int | None]]:
    """Both levels of each pair. Where the first text is the narrative as it is, its answer is known."""
    unknown = [(i, before) for i, (before, _) in pairs if before != cases[i].narrative]
    asked = [(i, after) for i, (_, after) in pairs] + unknown
    changed = [cases[i].model_copy(update={"narrative": text}) for i, text in asked]
    replies = replies_to(model, changed, f"{model.name}: {name}") if changed else []
    others = iter(reply.level for reply in replies[len(pairs) :])
    befores = [predicted[i] if before == cases[i].narrative else next(others) for i, (before, _) in pairs]
    return [(before, reply.level) for before, reply in zip(befores, replies, strict=False)]
