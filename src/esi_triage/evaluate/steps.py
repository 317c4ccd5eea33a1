"""What the answers' own reasoning is worth: held against the narrative, the engine, and the level that follows."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..answer import parse, verify
from ..answer.format import lines_of
from ..answer.verify import Verification
from ..esi import Case
from .bootstrap import patient_codes
from .metrics import share_of
from .readings import Reading

STEPS = ("step_a", "step_b", "step_c", "step_d")


def steps(
    cases: Sequence[Case],
    readings: Sequence[Reading],
    texts: Sequence[str],
    predicted: Sequence[int | None],
) -> dict[str, Any] | None:
    """Shares of the answers that state steps; null where none does (a bare level, the predictions of others).

    `with_steps`: of all answers, those that state one. Of these, `extraction_supported`: every number in the extraction
    stands in the narrative. `steps_agree`: no step contradicts the engine; `follows`: the steps lead to the level; both
    among answers where that can be told. `by_step`: agree, disagree, undetermined. `right_by_wrong_steps`: of the right
    answers with steps, those with a step that the engine contradicts or that does not lead to the level.
    """
    patients = patient_codes([case.subject_id for case in cases], len(cases))
    checked = [_checked(*row) for row in zip(cases, readings, texts, strict=True)]
    stated = [i for i, found in enumerate(checked) if found]
    if not stated:
        return None

    def share(flags: Iterable[tuple[int, bool]]) -> Any:
        chosen = list(flags)
        return share_of([flag for _, flag in chosen], patients[np.array([i for i, _ in chosen], dtype=np.intp)])

    verified = [(i, found) for i in stated if (found := checked[i])]
    return {
        "with_steps": share((i, found is not None) for i, found in enumerate(checked)),
        "extraction_supported": share((i, not v.unsupported) for i, v in verified if v.numbers),
        "steps_agree": share((i, _agree(v)) for i, v in verified if _judged(v)),
        "follows": share((i, v.follows == "agree") for i, v in verified if v.follows != "undetermined"),
        "consistent": share((i, v.consistent) for i, v in verified),
        "by_step": {name: dict(Counter(v.steps[name] for _, v in verified)) for name in STEPS},
        "right_by_wrong_steps": share((i, _wrong(v)) for i, v in verified if predicted[i] == cases[i].gold),
    }


def _checked(case: Case, reading: Reading, text: str) -> Verification | None:
    return verify(case.narrative, parse(text), reading.decision) if lines_of(text).keys() & set(STEPS) else None


def _judged(verification: Verification) -> bool:
    return any(verdict != "undetermined" for verdict in verification.steps.values())


def _agree(verification: Verification) -> bool:
    return "disagree" not in verification.steps.values()


def _wrong(verification: Verification) -> bool:
    return not _agree(verification) or verification.follows == "disagree"
