"""What a table must fulfil so that the audit finds nothing: linear inequalities in what the trainer sees of it.

Some conditions of the audit are not linear in the table. Those that have a linear condition from which they follow are
asked for by that (a little more than needed); the rest is left to the audit of the repaired table.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from ..audit.abstention_margin import game_value
from ..audit.beliefs import TIE
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
        *(_constants, _abstention, _abstention_last),
        *(_held, _doubts, _order, _advantages, _prior_shift),
    )
    return [demand for check in checks for demand in check(setting, margin) if demand.severity in wanted]


def _cell(setting: Setting, gold: int, action: int) -> np.ndarray:
    weights = np.zeros((setting.n, setting.n + 1))
    weights[gold, action] = 1.0
    return weights


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
    return Demand(
        check, severity, why, weights, least - float((weights * (setting.with_bonuses - setting.table_only)).sum())
    )


def _wrong(setting: Setting) -> Iterator[tuple[int, int, str]]:
    for gold, answer in np.argwhere(setting.wrong):
        yield int(gold), int(answer), f"{setting.action(gold)} called {setting.action(answer)}"


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
    cases: list[tuple[Severity, np.ndarray, str]] = [
        ("warning", setting.with_bonuses, ""),
        ("note", setting.table_only, ", without bonuses too"),
    ]
    for severity, rewards, when in cases:
        behind = rewards[:, -1:] - rewards[:, :-1]
        _, mixture = game_value(-behind.T)
        for gold in range(setting.n):
            weights = np.zeros((setting.n, setting.n + 1))
            weights[gold] = [*mixture, -1.0]
            why = f"abstention is best for no belief{when}"
            bonus = float((weights * (rewards - setting.table_only)).sum())
            yield Demand("silence", severity, why, weights, margin - bonus)


def _abstention_last(setting: Setting, margin: float) -> Iterator[Demand]:
    more = max(0.0, setting.design.bonus("no answer") - setting.design.bonus("wrong"))
    for gold, answer, name in _wrong(setting):
        weights = _cell(setting, gold, answer) - _cell(setting, gold, setting.n)
        least = more / float(setting.units[gold, 0])
        yield Demand("silence", "note", f"{name} is no worse than abstention", weights, least)


def _held(setting: Setting, margin: float) -> Iterator[Demand]:
    yield from _most_probable(setting, margin, "hedging", setting.training_prior, "in training")


def _prior_shift(setting: Setting, margin: float) -> Iterator[Demand]:
    if not np.allclose(setting.training_prior, setting.prior):
        yield from _most_probable(setting, margin, "drift", setting.prior, "in deployment")


def _most_probable(setting: Setting, margin: float, check: str, shares: np.ndarray, when: str) -> Iterator[Demand]:
    """What training rewards, for each belief of the warm start, is the level most probable with those shares (n,)."""
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
    for low in range(setting.n):
        for high in range(low + 1, setting.n):
            even = np.zeros(setting.n)
            even[[low, high]] = 0.5
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
    sure = np.eye(setting.n)[mild]
    for action in set(range(setting.n + 1)) - {grave, mild}:
        leads = setting.with_bonuses[:, [grave, mild]] - setting.with_bonuses[:, [action]]
        lead = (np.array([even, sure]) @ leads).T
        _, mixture = game_value(lead)
        for end in (even, sure):
            weights = mixture[0] * _prefers(setting, end, grave, action) + mixture[1] * _prefers(
                setting, end, mild, action
            )
            yield _with_bonuses(setting, "hedging", "warning", why, weights, 0.0)


def _order(setting: Setting, margin: float) -> Iterator[Demand]:
    most = max(0.0, setting.design.bonus("wrong", 0))
    down = {"first": 1, "last": -1, "neither": 0}[setting.design.urgent]
    for gold, answer, name in _wrong(setting):
        exact, here = _cell(setting, gold, gold), _cell(setting, gold, answer)
        # no bonus may outbid the step from adjacent to exact
        step = most / float(setting.units[gold, 0]) if abs(gold - answer) == 1 else 0.0
        yield Demand("order", "warning", f"exact is better than {name}", exact - here, margin + step)
        over = 2 * gold - answer
        if (answer - gold) * down > 0 and 0 <= over < setting.n:
            why = f"{name} is no cheaper than over-triage as far"
            yield Demand("order", "note", why, _cell(setting, gold, over) - here, 0.0)


def kept_order(setting: Setting, margin: float) -> Iterator[Demand]:
    """Whatever is repaired: on either side of gold a nearer answer pays no less than a farther one.

    Strictly more where the two differ in the table: by their difference, at most by `margin`.
    """
    for gold, answer, name in _wrong(setting):
        if abs(gold - answer) > 1:
            nearer = answer + (1 if answer < gold else -1)
            differ = abs(float(setting.table_only[gold, nearer] - setting.table_only[gold, answer]))
            weights = _cell(setting, gold, nearer) - _cell(setting, gold, answer)
            yield Demand("order", "error", f"{name} pays less than the nearer error", weights, min(margin, differ))


def _advantages(setting: Setting, margin: float) -> Iterator[Demand]:
    """Without scaling, and with the batch's, the sign of the advantage is linear; with the group's it is not."""
    for gold in range(setting.n):
        for answer in set(range(setting.n + 1)) - {gold}:
            weights = -_cell(setting, gold, answer)
            weights[gold] += setting.policy[gold]
            why = f"{setting.action(gold)} called {setting.action(answer)} is below its group's mean"
            yield _with_bonuses(setting, "groups", "warning", why, weights, margin)
