"""What a table must fulfil so that the audit finds nothing: linear inequalities in what the trainer sees of it.

Some conditions of the audit are not linear in the table. Those that have a linear condition from which they follow are
asked for by that (a little more than needed); the rest is left to the audit of the repaired table.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations
from typing import NamedTuple

import numpy as np

from ..audit.beliefs import TIE, game_value
from ..audit.finding import SEVERITIES, Severity
from ..audit.setting import Setting


class Demand(NamedTuple):
    """sum(`weights` × rewards) >= `least`, with `Setting.table_only`; `weights` is (n, n + 1), abstention last."""

    check: str
    severity: Severity
    why: str
    weights: np.ndarray
    least: float


def demands(setting: Setting, severity: Severity, margin: float) -> list[Demand]:
    """What the checks ask of the table, where breaking it would be a finding of that severity or a worse one.

    An error is where training goes, which is not linear: what stands in for it are the demands of a warning.
    What must be strictly better is asked to be better by `margin`, in units of the rows (see `Setting.units`).
    """
    wanted = SEVERITIES[min(SEVERITIES.index(severity), SEVERITIES.index("warning")) :]
    checks: tuple[Callable[[Setting, float], Iterator[Demand]], ...] = (
        *(_constants, _abstention, _abstention_last, partial(_most_probable, check="hedging")),
        *(_doubts, _order, _advantages, partial(_most_probable, check="drift")),
    )
    return [demand for check in checks for demand in check(setting, margin) if demand.severity in wanted]


def _prefers(setting: Setting, belief: np.ndarray, better: int, worse: int) -> np.ndarray:
    """The weights of: what `better` is expected to earn under a belief (n,), less what `worse` is."""
    weights = np.zeros((setting.n, setting.n + 1))
    weights[:, better] += belief
    weights[:, worse] -= belief
    return weights


def _with_bonuses(
    setting: Setting, check: str, severity: Severity, why: str, weights: np.ndarray, least: float
) -> Demand:
    """A demand on rewards with bonuses."""
    bonus = float((weights * (setting.with_bonuses - setting.table_only)).sum())
    return Demand(check, severity, why, weights, least - bonus)


def _wrong(setting: Setting) -> Iterator[tuple[int, int, str, np.ndarray]]:
    """Each wrong answer: gold, answer, both in words, and the certain belief in gold."""
    for gold, answer in np.argwhere(setting.wrong).tolist():
        yield gold, answer, f"{setting.action(gold)} called {setting.action(answer)}", np.eye(setting.n)[gold]


def _constants(setting: Setting, margin: float) -> Iterator[Demand]:
    start = setting.training_prior[:, None] * setting.policy
    for action in range(setting.n + 1):
        weights = start.copy()
        weights[:, action] -= setting.training_prior
        why = f"the warm start earns more than {setting.action(action)} to everything"
        yield _with_bonuses(setting, "lazy", "warning", why, weights, margin)


def _abstention(setting: Setting, margin: float) -> Iterator[Demand]:
    """For no belief the best action: there is a mixture of answers that beats it at every level (minimax theorem).

    The mixture is a product of the table; it is held at the one that does best now.
    """
    for rewards in (setting.with_bonuses, setting.table_only):
        _, mixture = game_value((rewards[:, :-1] - rewards[:, -1:]).T)
        for gold in range(setting.n):
            weights = np.zeros((setting.n, setting.n + 1))
            weights[gold] = [*mixture, -1.0]
            why = "abstention is best for no belief"
            if rewards is setting.with_bonuses:
                yield _with_bonuses(setting, "silence", "warning", why, weights, margin)
            else:
                yield Demand("silence", "note", f"{why}, without bonuses too", weights, margin)


def _abstention_last(setting: Setting, margin: float) -> Iterator[Demand]:
    more = max(0.0, setting.design.bonus("no answer") - setting.design.bonus("wrong"))
    for gold, answer, name, sure in _wrong(setting):
        weights, least = _prefers(setting, sure, answer, setting.n), more / float(setting.units[gold, 0])
        yield Demand("silence", "note", f"{name} is no worse than abstention", weights, least)


def _most_probable(setting: Setting, margin: float, check: str) -> Iterator[Demand]:
    """What training rewards for each belief of the warm start is its most probable level; for drift in deployment."""
    shares, when = setting.training_prior, "in training"
    if check == "drift":
        shares, when = setting.prior, "in deployment"
        if np.allclose(shares, setting.training_prior):
            return
    for answer in (None, *range(setting.n + 1)):
        said = np.ones(setting.n) if answer is None else setting.policy[:, answer]
        if (shares * said).sum() <= 0:
            continue
        belief, drawn = (each * said / (each * said).sum() for each in (shares, setting.training_prior))
        tied = np.flatnonzero(belief >= belief.max() - TIE).tolist()  # any of them will do: the one that is best now
        level = max(tied, key=lambda action, drawn=drawn: float(drawn @ setting.with_bonuses[:, action]))
        said_so = "where nothing is known" if answer is None else f"where the warm start says {setting.action(answer)}"
        why = f"{setting.action(level)} is best {said_so}, most probable {when}"
        for action in set(range(setting.n + 1)) - set(tied):
            yield _with_bonuses(setting, check, "warning", why, _prefers(setting, drawn, level, action), margin)


def _doubts(setting: Setting, margin: float) -> Iterator[Demand]:
    """Between two levels the graver is best where it is the more probable, and the best action is one of the two."""
    for low, high in combinations(range(setting.n), 2):
        even = np.eye(setting.n)[[low, high]].mean(axis=0)
        held = {"first": (low,), "last": (high,), "neither": (low, high)}[setting.design.urgent]
        between = f"between {setting.action(low)} and {setting.action(high)}"
        for level in held:
            why = f"{setting.action(level)} is best {between} at even odds"
            for action in set(range(setting.n + 1)) - {level}:
                inside = action in (low, high) and setting.scale == "group"
                severity: Severity = "note" if inside else "warning"
                yield _with_bonuses(setting, "hedging", severity, why, _prefers(setting, even, level, action), 0.0)
        if len(held) == 1:
            yield from _no_third(setting, even, held[0], low + high - held[0], f"no third action is best {between}")


def _no_third(setting: Setting, even: np.ndarray, grave: int, mild: int, why: str) -> Iterator[Demand]:
    """A third action is never ahead where the mild level is the more probable: some mixture of the two is no worse.

    The mixture is held at the one that does best now, at the two ends: even odds, and certainly mild.
    """
    ends = np.array([even, np.eye(setting.n)[mild]])
    for action in set(range(setting.n + 1)) - {grave, mild}:
        leads = setting.with_bonuses[:, [grave, mild]] - setting.with_bonuses[:, [action]]
        _, (part, rest) = game_value((ends @ leads).T)
        for end in ends:
            weights = part * _prefers(setting, end, grave, action) + rest * _prefers(setting, end, mild, action)
            yield _with_bonuses(setting, "hedging", "warning", why, weights, 0.0)


def _order(setting: Setting, margin: float) -> Iterator[Demand]:
    most = max(0.0, setting.design.bonus("wrong", 0))
    down = {"first": 1, "last": -1, "neither": 0}[setting.design.urgent]
    for gold, answer, name, sure in _wrong(setting):
        # no bonus may outbid the step from adjacent to exact
        step = most / float(setting.units[gold, 0]) if abs(gold - answer) == 1 else 0.0
        weights = _prefers(setting, sure, gold, answer)
        yield Demand("order", "warning", f"exact is better than {name}", weights, margin + step)
        over = 2 * gold - answer
        if (answer - gold) * down > 0 and 0 <= over < setting.n:
            why = f"{name} is no cheaper than over-triage as far"
            yield Demand("order", "note", why, _prefers(setting, sure, over, answer), 0.0)


def kept_order(setting: Setting, margin: float) -> Iterator[Demand]:
    """Whatever is repaired: on either side of gold a nearer answer pays no less than a farther one.

    Strictly more where the two differ in the table: by their difference, at most by `margin`.
    """
    for gold, answer, name, sure in _wrong(setting):
        if abs(gold - answer) > 1:
            nearer = answer + (1 if answer < gold else -1)
            least = min(margin, abs(float(setting.table_only[gold, nearer] - setting.table_only[gold, answer])))
            weights = _prefers(setting, sure, nearer, answer)
            yield Demand("order", "error", f"{name} pays less than the nearer error", weights, least)


def _advantages(setting: Setting, margin: float) -> Iterator[Demand]:
    """Without scaling, and with the batch's, the sign of the advantage is linear; with the group's it is not."""
    for gold in range(setting.n):
        for answer in set(range(setting.n + 1)) - {gold}:
            weights = np.zeros((setting.n, setting.n + 1))
            weights[gold] = setting.policy[gold] - np.eye(setting.n + 1)[answer]
            why = f"{setting.action(gold)} called {setting.action(answer)} is below its group's mean"
            yield _with_bonuses(setting, "groups", "warning", why, weights, margin)
