"""Verification of the stated steps: held against the narrative, the engine, and the level that follows."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from ...answer import parse, verify
from ...answer.format import lines_of
from ...answer.verify import Verification
from ...esi import Case
from ...predict.model import Reading
from ..scored import Scored

STEPS = ("step_a", "step_b", "step_c", "step_d")


def steps(
    cases: Sequence[Case], readings: Sequence[Reading], texts: Sequence[str], scored: Scored
) -> dict[str, Any] | None:
    """Shares of the answers that state steps; null where none does (a bare level, the predictions of others).

    `with_steps`: of all answers, those that state one. Of these, `extraction_supported`: every number in the extraction
    stands in the narrative. `steps_agree`: no step contradicts the engine; `follows`: the steps lead to the level; both
    among answers where that can be told. `consistent`: neither. `label_only`: a step is marked as ruled by the label,
    which nothing in the note can contradict; `consistent_without_label_only`: consistent, of the answers without such a
    step. `by_step`: agree, disagree, undetermined, label_only. `right_by_wrong_steps`: of the right answers with steps,
    those with a step that the engine contradicts or that does not lead to the level.
    """
    checked = [_checked(*row) for row in zip(cases, readings, texts, strict=True)]
    stated = [(i, found) for i, found in enumerate(checked) if found]
    if not stated:
        return None

    def share(flags: Iterable[tuple[int, bool]]) -> Any:
        chosen = list(flags)
        return scored.share_of([flag for _, flag in chosen], [i for i, _ in chosen])

    return {
        "with_steps": share((i, found is not None) for i, found in enumerate(checked)),
        "extraction_supported": share((i, not v.unsupported) for i, v in stated if v.numbers),
        "steps_agree": share((i, _agree(v)) for i, v in stated if _told(v)),
        "follows": share((i, v.follows == "agree") for i, v in stated if v.follows != "undetermined"),
        "consistent": share((i, v.consistent) for i, v in stated),
        "label_only": share((i, bool(v.label_only)) for i, v in stated),
        "consistent_without_label_only": share((i, v.consistent) for i, v in stated if not v.label_only),
        "by_step": {
            name: dict(Counter("label_only" if name in v.label_only else v.steps[name] for _, v in stated))
            for name in STEPS
        },
        "right_by_wrong_steps": share((i, _wrong(v)) for i, v in stated if scored.right[i]),
    }


def _checked(case: Case, reading: Reading, text: str) -> Verification | None:
    return verify(case.narrative, parse(text), reading.decision) if lines_of(text).keys() & set(STEPS) else None


def _told(verification: Verification) -> bool:
    return any(verdict != "undetermined" for verdict in verification.steps.values())


def _agree(verification: Verification) -> bool:
    return "disagree" not in verification.steps.values()


def _wrong(verification: Verification) -> bool:
    return not _agree(verification) or verification.follows == "disagree"
