"""Subgroups: accuracy and misses in each part of the patients, and how it differs from all other patients."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from ..linked_tables import Columns
from ..scored import Scored
from ..statistics.bootstrap import kinds_of, percentile_figure, resampled
from ..statistics.confusion import SHARES, pseudo_observation, share_function
from ..statistics.intervals import Figure
from ..statistics.paired_tests import SIGNIFICANT, holm
from .slices import FEW, Slice

COMPARED = ("exact", "under_triage_or_silent", "over_triage")
SHOWN = ("exact", "under_triage", "under_triage_or_silent", "over_triage")
BY_CASE = ("age", "sex", "arrival")  # the groups of slices.toml that describe the patient
MOST = 12  # values of a column; the rarer ones are one group


def groups_of(columns: Columns) -> list[Slice]:
    """A part for each value of each column of a groups file, the commonest first; rare values are "other values"."""
    found = []
    for column, values in columns.items():
        named = np.array(["not recorded" if value is None else value for value in values], dtype=object)
        common = [value for value, _ in Counter(named.tolist()).most_common()]
        kept, rare = (common, []) if len(common) <= MOST else (common[: MOST - 1], common[MOST - 1 :])
        found += [Slice(column, value, named == value) for value in kept]
        if rare:
            found.append(Slice(column, "other values", np.isin(named, rare)))
    return found


def subgroups(scored: Scored, parts: Sequence[Slice], outcomes: Columns) -> dict[str, Any]:
    """Each part with a case: its shares, and `differences` to all other cases with interval, p, and p by Holm.

    `outcome` names the outcome (critical, else the first) whose `outcome_sensitivity` is the share of the cases with it
    that were placed in 1 or 2. A difference has p from the standard error of its bootstrap, adjusted over all that are
    here; it is null where the part is everybody, or has fewer than 30 cases.
    """
    name = "critical" if "critical" in outcomes else next(iter(outcomes), None)
    outcome = outcomes[name] if name else None
    rows = [_row(scored, part, outcome) for part in parts if part.mask.any()]
    compared = [figure for row in rows for figure in row["differences"].values() if figure["p"] is not None]
    for figure, p in zip(compared, holm([figure["p"] for figure in compared]), strict=True):
        figure |= {"p_holm": p, "significant": p < SIGNIFICANT}
    return {"outcome": name, "compared": len(compared), "rows": rows}


def _row(scored: Scored, part: Slice, outcome: Sequence[bool | None] | None) -> dict[str, Any]:
    inside, n = scored.only(part.mask), int(part.mask.sum())
    row: dict[str, Any] = {"group": part.group, "name": part.name, "n": n, "few": n < FEW}
    row |= {shown: inside.share(*SHARES[shown]) for shown in SHOWN}
    apart = FEW <= n < scored.n
    row["differences"] = _differences(scored, part.mask) if apart else {}
    if outcome is not None:
        events = np.array([value is True for value in outcome])
        urgent = scored.cells % 6 < 2
        places = np.flatnonzero(part.mask & events)
        row["outcome_sensitivity"] = scored.share_of(urgent[places], places.tolist())
        if apart:
            row["differences"]["outcome_sensitivity"] = _sensitivity_difference(scored, part.mask, events, urgent)
    return row


def _differences(scored: Scored, mask: NDArray[np.bool_]) -> dict[str, Any]:
    """The part less all other cases, whole clusters resampled."""
    kinds = kinds_of(scored.clusters, scored.cells + 30 * mask, 60)
    both = kinds.total.reshape(2, 5, 6)
    pseudo = np.concatenate([pseudo_observation(table) / 2 for table in both])
    drawn = resampled(kinds, scored.resamples, scored.seed, pseudo).reshape(-1, 2, 5, 6)
    return {
        name: _contrast(share_function(name), both, drawn, int(mask.sum()), kinds.clusters.sum()) for name in COMPARED
    }


def _sensitivity_difference(
    scored: Scored, mask: NDArray[np.bool_], events: NDArray[np.bool_], urgent: NDArray[np.bool_]
) -> dict[str, Any]:
    kinds = kinds_of(scored.clusters[events], (2 * mask + urgent)[events], 4)
    drawn = resampled(kinds, scored.resamples, scored.seed, np.full(4, 0.25)).reshape(-1, 2, 2)
    both = kinds.total.reshape(2, 2)

    def sensitivity(counts: NDArray[np.float64]) -> Any:
        cases = counts.sum(-1)
        return np.where(cases > 0, counts[..., 1] / np.where(cases > 0, cases, 1), np.nan)

    return _contrast(sensitivity, both, drawn, int((mask & events).sum()), kinds.clusters.sum())


def _contrast(
    function: Callable[[Any], Any], both: NDArray[np.float64], drawn: NDArray[np.float64], n: int, clusters: float
) -> dict[str, Any]:
    """Inside less outside, from tables with outside first."""
    value = function(both[1]) - function(both[0])
    spread = function(drawn[:, 1]) - function(drawn[:, 0])
    figure: Figure = percentile_figure(value, spread, n, clusters)
    error = float(np.nanstd(spread)) if figure["value"] is not None else 0.0
    p = float(2 * norm.sf(abs(float(value)) / error)) if error > 0 else None
    return {**figure, "p": p, "p_holm": None, "significant": False}
