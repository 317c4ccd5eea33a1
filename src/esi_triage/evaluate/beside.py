"""What stands beside every result: each constant level, chance, the rules, and whatever else was asked."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..esi import LEVELS, Case
from .bootstrap import kinds_of, patient_codes
from .compare import SIGNIFICANT, differences, paired
from .costs import load_costs
from .metrics import answers_of, figures
from .readings import Reading
from .runs import holm
from .table import Levels, cell_of

SEED = 0


def baseline_answers(cases: Sequence[Case], readings: Sequence[Reading]) -> dict[str, list[int | None]]:
    """The levels that every report's baselines give, by name: `constant:1` to `constant:5`, `random`, `rules`.

    `random` draws each answer by the shares of the levels in this gold, once, with a fixed seed: chance that knows how
    common each level is.
    """
    gold = np.array([case.gold for case in cases], dtype=int)
    drawn = np.random.default_rng(SEED).choice(gold, size=len(gold))
    found: dict[str, list[int | None]] = {f"constant:{level}": [level] * len(cases) for level in LEVELS}
    return found | {"random": drawn.tolist(), "rules": [reading.decision.level for reading in readings]}


def beside(
    cases: Sequence[Case], predicted: Levels, others: Mapping[str, Levels], resamples: int = 2000, seed: int = 0
) -> dict[str, dict[str, Any]]:
    """Each of `others` by name: its figures, and this model less it on the same cases.

    `paired` is the exact McNemar test (gained: only this model is right) with `p_holm` over all of them; `differences`
    have the interval of a paired bootstrap over patients.
    """
    gold, subjects = [case.gold or 0 for case in cases], [case.subject_id for case in cases]
    patients, costs = patient_codes(subjects, len(cases)), load_costs()
    found: dict[str, dict[str, Any]] = {}
    for name, levels in others.items():
        answers = answers_of(kinds_of(patients, cell_of(gold, levels), 30), resamples, seed)
        found[name] = {
            **figures(answers, costs),
            "paired": paired(gold, levels, predicted, subjects),
            "differences": differences(gold, levels, predicted, subjects, resamples, seed),
        }
    adjusted = holm([row["paired"]["p_by_patient"] for row in found.values()])
    for row, p in zip(found.values(), adjusted, strict=True):
        row["paired"] |= {"p_holm": p, "significant": p < SIGNIFICANT}
    return found
