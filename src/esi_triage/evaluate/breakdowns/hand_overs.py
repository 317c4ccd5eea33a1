"""When a person decides: hand-over by reason, how often the set holds the gold level, and risk against coverage.

The figure that matters is the share of true ESI 1-2 among the kept cases that are called ESI 3 to 5 (or get no level).
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...esi import LEVELS
from ...predict.model import Reply
from ..scored import Scored

_TENTHS = range(10, 0, -1)


def hand_overs(scored: Scored, replies: Sequence[Reply]) -> dict[str, Any]:
    """The tables that the replies allow; empty for a model that gives neither probabilities, sets nor reasons.

    `hand_over`: the share handed over, by reason too, and what is kept. `set_coverage`: by gold level and in all, the
    share of sets that hold the gold level, and their mean size. `kept_by_trust`: when only the most probable answers
    are kept, from all to a tenth: exact, and `missed_urgent`.
    """
    found: dict[str, Any] = {}
    if any(reply.hand_over for reply in replies):
        found["hand_over"] = _by_reason(scored, replies)
    if any(reply.level_set is not None for reply in replies):
        found["set_coverage"] = _set_coverage(scored, replies)
    if any(reply.probabilities for reply in replies):
        found["kept_by_trust"] = _by_trust(scored, replies)
    return found


def _by_reason(scored: Scored, replies: Sequence[Reply]) -> dict[str, Any]:
    counts = Counter(code for reply in replies for code in reply.hand_over)
    kept = np.array([not reply.hand_over for reply in replies])
    return {
        "handed_over": scored.share_of(~kept),
        "by_reason": {
            code: scored.share_of([code in reply.hand_over for reply in replies]) for code, _ in counts.most_common()
        },
        "kept": _of_kept(scored, kept),
        "handed": _of_kept(scored, ~kept),
    }


def _set_coverage(scored: Scored, replies: Sequence[Reply]) -> dict[str, Any]:
    sets = [reply.level_set for reply in replies]
    inside = np.array([found is not None and gold in found for found, gold in zip(sets, scored.gold, strict=True)])
    sizes = np.array([len(found) if found is not None else np.nan for found in sets])
    given = ~np.isnan(sizes)
    rows = {"all": given} | {str(level): given & (scored.gold == level) for level in LEVELS}
    return {
        name: {
            "covered": scored.share_of(inside[among], np.flatnonzero(among).tolist()),
            "mean_size": float(sizes[among].mean()) if among.any() else None,
        }
        for name, among in rows.items()
    }


def _by_trust(scored: Scored, replies: Sequence[Reply]) -> list[dict[str, Any]]:
    """Trust is the probability of the level answered; answers without one come last."""
    trust = np.array([r.probabilities[r.level - 1] if r.probabilities and r.level else -1.0 for r in replies])
    order, found = np.argsort(-trust, kind="stable"), []
    for tenths in _TENTHS:
        kept = np.zeros(scored.n, dtype=bool)
        kept[order[: -(-scored.n * tenths // 10)]] = True
        found.append(_of_kept(scored, kept))
    return found


def _of_kept(scored: Scored, kept: NDArray[np.bool_]) -> dict[str, Any]:
    """`coverage`, and of the kept cases: exact, and `missed_urgent`, true ESI 1-2 called 3 to 5 or given no level."""
    places = np.flatnonzero(kept).tolist()
    level = np.array([answered or 9 for answered in scored.predicted])
    missed = (scored.gold <= 2) & (level > 2)
    return {
        "coverage": len(places) / scored.n,
        "exact": scored.share_of(scored.right[kept], places),
        "missed_urgent": scored.share_of(missed[kept], places),
    }
