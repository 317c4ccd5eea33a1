"""The baselines of every report: each constant level, chance, the rules, a person's level, and what was asked for."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...esi import LEVELS, Case
from ...predict.model import Reading
from ..scored import Scored
from ..statistics.confusion import Levels
from ..statistics.costs import load_costs
from ..statistics.metrics import chance_differences, chance_figures, figures
from ..statistics.paired_tests import SIGNIFICANT, differences, holm, paired


def baseline_answers(cases: Sequence[Case], readings: Sequence[Reading]) -> dict[str, Levels]:
    """The levels of the baselines by name: `constant:1` to `constant:5`, `rules`, and `human` where a case has one.

    `human` is the level that a person gave at triage where gold is somebody else's.
    """
    found: dict[str, Levels] = {f"constant:{level}": [level] * len(cases) for level in LEVELS}
    found["rules"] = [reading.decision.level for reading in readings]
    if any(case.human_level is not None for case in cases):
        found["human"] = [case.human_level for case in cases]
    return found


def baseline_rows(scored: Scored, others: Mapping[str, Levels]) -> dict[str, dict[str, Any]]:
    """Chance (`random`) and each of `others` by name: its figures, and this model less it on the same cases.

    `paired` is the exact McNemar test (gained: only this model is right) with `p_holm` over all of them; `differences`
    have the interval of a paired bootstrap. Chance is computed: its gained and lost are expected numbers, it has no
    p-value, and it counts as significant where the interval of the difference leaves out 0.
    """
    costs = load_costs()
    rows: dict[str, dict[str, Any]] = {}
    for name, levels in others.items():
        baseline = scored.answered(levels)
        rows[name] = {
            **figures(baseline, costs),
            "paired": paired(baseline, scored),
            "differences": differences(baseline, scored),
        }
    for row, p in zip(rows.values(), holm([row["paired"]["p_by_patient"] for row in rows.values()]), strict=True):
        row["paired"] |= {"p_holm": p, "significant": p < SIGNIFICANT}
    constants = {name: row for name, row in rows.items() if name.startswith("constant:")}
    return constants | {"random": _chance(scored)} | {k: row for k, row in rows.items() if k not in constants}


def _chance(scored: Scored) -> dict[str, Any]:
    found = {**chance_figures(scored, load_costs()), "differences": chance_differences(scored)}
    shares = scored.total.sum(axis=1) / max(scored.n, 1)
    difference = found["differences"]["exact"]
    gained = float(sum(1 - shares[level - 1] for level in scored.gold[scored.right]))
    lost = float(sum(shares[level - 1] for level in scored.gold[~scored.right]))
    significant = difference["low"] is not None and not difference["low"] <= 0 <= difference["high"]
    found["paired"] = {
        "n": scored.n,
        "gained": gained,
        "lost": lost,
        "difference": (gained - lost) / max(scored.n, 1),
        "p": None,
        "p_by_patient": None,
        "needed": None,
        "p_holm": None,
        "significant": significant,
    }
    return found
