"""Outcomes as a second truth: does the model's level rank what came after triage better than the nurse's own level?"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...predict.model import Reply
from ..linked_tables import Columns
from ..scored import Scored
from ..statistics.bootstrap import percentile_figure
from ..statistics.confusion import Levels
from ..statistics.discrimination import STATISTICS, Ranked, ranked, urgency_of

GOLD = "gold level"


def expected_levels(replies: Sequence[Reply]) -> list[float | None]:
    """The mean level under a reply's probabilities, else its level; null for no answer."""
    found: list[float | None] = []
    for reply in replies:
        if reply.level is None or reply.probabilities is None:
            found.append(reply.level)
        else:
            found.append(sum(level * p for level, p in enumerate(reply.probabilities, start=1)))
    return found


def outcome_figures(
    scored: Scored, columns: Columns, rows: Mapping[str, tuple[Sequence[float | None], Levels]]
) -> dict[str, Any]:
    """By outcome: `n`, `events`, `missing`, and for the gold level and each of `rows` AUROC, AUPRC, and misses.

    A row is (expected levels, levels) by case. `placed_3_to_5` is the share of the cases with the outcome that were
    placed in 3 to 5 or got no level. `differences`: the row less the gold level (the nurse's, where a nurse assigned
    it), on the same resamples of clusters. Cases of which the outcome is not recorded are left out and counted.
    """
    gold = scored.gold.tolist()
    every = {GOLD: (gold, gold), **rows}
    return {name: _outcome(scored, values, every) for name, values in columns.items()}


def _outcome(
    scored: Scored, values: Sequence[bool | None], rows: Mapping[str, tuple[Sequence[float | None], Levels]]
) -> dict[str, Any]:
    known = [i for i, value in enumerate(values) if value is not None]
    outcome = np.array([bool(values[i]) for i in known], dtype=bool)
    clusters = np.unique(scored.clusters[known], return_inverse=True)[1]
    urgencies = [urgency_of([expected[i] for i in known], outcome) for expected, _ in rows.values()]
    placed_low = [_placed_low([levels[i] for i in known]) for _, levels in rows.values()]
    found = dict(
        zip(rows, ranked(urgencies, placed_low, outcome, clusters, scored.resamples, scored.seed), strict=True)
    )
    n, groups, reference = len(known), int(clusters.max(initial=-1)) + 1, found[GOLD]
    return {
        "n": n,
        "events": int(outcome.sum()),
        "missing": scored.n - n,
        "rows": {
            name: _figures(row, n, groups)
            | ({} if name == GOLD else {"differences": _figures(_less(row, reference), n, groups)})
            for name, row in found.items()
        },
    }


def _placed_low(levels: Levels) -> NDArray[np.bool_]:
    return np.array([level is None or level >= 3 for level in levels], dtype=bool)


def _less(row: Ranked, reference: Ranked) -> Ranked:
    return Ranked(row.value - reference.value, row.drawn - reference.drawn)


def _figures(row: Ranked, n: int, groups: int) -> dict[str, Any]:
    return {name: percentile_figure(row.value[i], row.drawn[:, i], n, groups) for i, name in enumerate(STATISTICS)}
