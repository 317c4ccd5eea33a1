"""What each reason to hand over costs on labelled cases: how many it hands over, and what is left without them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...esi import Case
from ..model import Reply

EVERYTHING, AS_SET = "nothing handed over", "all reasons of the settings"


class Kept(NamedTuple):
    """What is left when some cases are handed over: `n` of `total` kept, `right` of them, `missed` true ESI 1-2 that
    are called 3 to 5 (or get no level)."""

    name: str
    total: int
    n: int
    right: int
    missed: int


def cost_of_reasons(cases: Sequence[Case], replies: Sequence[Reply], reasons: Sequence[str]) -> list[Kept]:
    """Nothing handed over, each reason that occurs by itself, all of them, and the most trusted tenths of the cases.

    Trust is the probability of the level answered.
    """
    gold = np.array([case.gold for case in cases])
    level = np.array([reply.level or 9 for reply in replies])
    rows = [_kept(EVERYTHING, gold, level, np.ones(len(cases), dtype=bool))]
    for code in (code for code in reasons if any(code in reply.hand_over for reply in replies)):
        rows.append(_kept(code, gold, level, np.array([code not in reply.hand_over for reply in replies])))
    rows.append(_kept(AS_SET, gold, level, np.array([not reply.hand_over for reply in replies])))
    trust = np.array([reply.probabilities[(reply.level or 1) - 1] if reply.probabilities else -1 for reply in replies])
    order = np.argsort(-trust, kind="stable")
    for tenths in range(9, 2, -1):
        most = np.zeros(len(cases), dtype=bool)
        most[order[: round(len(cases) * tenths / 10)]] = True
        rows.append(_kept(f"the {tenths * 10} % most probable answers", gold, level, most))
    return rows


def _kept(name: str, gold: NDArray, level: NDArray, kept: NDArray[np.bool_]) -> Kept:
    missed = (gold <= 2) & (level > 2)
    return Kept(name, len(gold), int(kept.sum()), int((kept & (gold == level)).sum()), int((kept & missed).sum()))


def table_of(rows: Sequence[Kept]) -> list[str]:
    """The rows as lines of a table, each share with its n."""
    lines = [f"{'handed over for':36} {'kept':>12} {'exact of kept':>22} {'ESI 1-2 called 3-5':>24}"]
    for row in rows:
        kept = f"{row.n} ({row.n / row.total:.0%})" if row.total else "0"
        lines.append(f"{row.name:36} {kept:>12} {_share(row.right, row.n):>22} {_share(row.missed, row.n):>24}")
    return lines


def _share(hits: int, n: int) -> str:
    """A share with its 95 % interval (Wilson)."""
    if n == 0:
        return "none kept"
    from scipy.stats import binomtest

    low, high = binomtest(hits, n).proportion_ci(method="wilson")
    return f"{hits / n:.1%} ({low:.1%} to {high:.1%})"
