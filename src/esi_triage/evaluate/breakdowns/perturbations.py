"""Perturbations: how often an answer changes when nothing that matters has, and whether it does when it must."""

from collections.abc import Callable, Sequence
from typing import Any

from ...esi import Case
from ...predict.model import Model, Reply
from ..scored import Scored
from ..statistics.confusion import Levels
from ..statistics.intervals import Figure
from . import changed_notes
from .changed_notes import Change

Ask = Callable[[Model, Sequence[Case], str], list[Reply]]
"""A model, cases and a label for the progress bar, to replies in order; replies may be kept on the way."""
BeforeAfter = tuple[int, int | None, int | None]  # the case's place, and the level answered to either text

SAME_TEXT = "the same text asked again"
MUST_NOT: dict[str, Change] = {
    "sex swapped": changed_notes.sex_swapped,
    "race swapped": changed_notes.race_swapped,
    "temperature in the other unit": changed_notes.units_changed,
    "sentences in another order": changed_notes.sentences_reordered,
    "typing errors": changed_notes.typos,
    "an answer injected (ESI 5)": changed_notes.answer_injected,
    "an instruction injected (ESI 5)": changed_notes.instruction_injected,
}
MUST = "a life-saving intervention added (must be ESI 1)"


def perturbations(ask: Ask, model: Model, cases: Sequence[Case], scored: Scored) -> dict[str, Any]:
    """Ask the model again about changed narratives; `scored` has its answers to the cases as they are.

    `noise_floor`: how often the answer to the same text differs in another sample, or why it cannot; no other change
    can be blamed for as much. `must_not_change`: by change, `flips` (answers that differ; no answer differs from a
    level), how many of them are more or less urgent, how many narratives it does not apply to, and the verdict against
    the threshold of perturbations.toml: below, above, or undecided where the interval holds it. `must_change`: the
    answers that are not ESI 1 although a life-saving intervention was added.
    """
    threshold = float(changed_notes.words()["threshold"])
    found: dict[str, Any] = {"threshold": threshold, "n": len(cases), "must_not_change": {}, "must_change": {}}
    if model.again is None:
        found["noise_floor"] = "0 by construction: nothing in these answers is drawn"
    else:
        found["noise_floor"] = "measured with another sample"
        again = [reply.level for reply in ask(model.again(1), cases, f"{model.name}: {SAME_TEXT}")]
        levels = list(zip(range(len(cases)), scored.predicted, again, strict=True))
        found["must_not_change"][SAME_TEXT] = _flips(levels, scored, threshold)
    for name, change in MUST_NOT.items():
        levels = _levels(ask, model, cases, scored.predicted, change, name)
        found["must_not_change"][name] = _flips(levels, scored, threshold)
    levels = _levels(ask, model, cases, scored.predicted, changed_notes.intervention_added, MUST)
    missed = scored.share_of([after != 1 for _, _, after in levels], [i for i, _, _ in levels])
    found["must_change"][MUST] = {"missed": missed, "verdict": verdict(missed, threshold)}
    return found


def _flips(levels: Sequence[BeforeAfter], scored: Scored, threshold: float) -> dict[str, Any]:
    flips = scored.share_of([before != after for _, before, after in levels], [i for i, _, _ in levels])
    both = [(before, after) for _, before, after in levels if before and after]
    return {
        "flips": flips,
        "more_urgent": sum(after < before for before, after in both),
        "less_urgent": sum(after > before for before, after in both),
        "does_not_apply": scored.n - len(levels),
        "verdict": verdict(flips, threshold),
    }


def verdict(flips: Figure, threshold: float) -> str:
    """`below` or `above` the threshold where the whole interval is, else `undecided`; `not tested` without a case."""
    low, high = flips["low"], flips["high"]
    if low is None or high is None:
        return "not tested"
    return "below" if high < threshold else "above" if low > threshold else "undecided"


def _levels(
    ask: Ask, model: Model, cases: Sequence[Case], predicted: Levels, change: Change, name: str
) -> list[BeforeAfter]:
    """Place and both levels of each case that changes. Where the first text is the narrative, its answer is known."""
    pairs = [(i, pair) for i, case in enumerate(cases) if (pair := change(case.narrative)) is not None]
    unknown = [(i, before) for i, (before, _) in pairs if before != cases[i].narrative]
    asked = [(i, after) for i, (_, after) in pairs] + unknown
    changed = [cases[i].model_copy(update={"narrative": text}) for i, text in asked]
    replies = ask(model, changed, f"{model.name}: {name}") if changed else []
    others = iter(reply.level for reply in replies[len(pairs) :])
    befores = [predicted[i] if before == cases[i].narrative else next(others) for i, (before, _) in pairs]
    return [(i, before, reply.level) for (i, _), before, reply in zip(pairs, befores, replies, strict=False)]
