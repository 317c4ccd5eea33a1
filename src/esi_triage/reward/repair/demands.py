"""What a table must fulfil so that the audit finds nothing: linear inequalities in its cells.

Some conditions of the audit are not linear in the table. Those that have a linear condition from which they follow are
asked for by that (a little more than needed); the rest is left to the audit of the repaired table.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from ..audit.beliefs import TIE
from ..audit.finding import SEVERITIES, Severity
from ..audit.game import game_value
from ..audit.setting import Setting


class Demand(NamedTuple):
    """sum(`weights` × rewards) >= `least`, rewards without bonuses; `weights` is (n, n + 1), silence last."""

    check: str
    severity: Severity
    why: str
    weights: np.ndarray
    least: float


def demands(setting: Setting, severity: Severity, margin: float) -> list[Demand]:
    """What the checks ask of the table, where breaking it would be a finding of that severity or a worse one.

    What must be strictly better is asked to be better by `margin`, in units of reward.
    """
    wanted = SEVERITIES[SEVERITIES.index(severity) :]
    checks: tuple[Callable[[Setting, float], Iterator[Demand]], ...] = (
        *(_lazy, never_punished, _free_zone, _silence, _silent_last),
        *(_held, _doubts, _order, _groups, _drift),
    )
    return [demand for check in checks for demand in check(setting, margin) if demand.severity in wanted]


def _cell(setting: Setting, gold: int, act: int) -> np.ndarray:
    weights = np.zeros((setting.n, setting.n + 1))
    weights[gold, act] = 1.0
    return weights


def _acts(setting: Setting, belief: np.ndarray, better: int, worse: int) -> np.ndarray:
    """The weights of: what `better` is expected to earn under a belief (n,), less what `worse` is."""
    weights = np.zeros((setting.n, setting.n + 1))
    weights[:, better] += belief
    weights[:, worse] -= belief
    return weights


def _earned(setting: Setting, check: str, severity: Severity, why: str, weights: np.ndarray, least: float) -> Demand:
    """A demand on rewards with bonuses."""
    return Demand(check, severity, why, weights, least - float((weights * (setting.earned - setting.bare)).sum()))


def _wrong(setting: Setting) -> Iterator[tuple[int, int, str]]:
    for gold, answer in np.argwhere(setting.wrong):
        yield int(gold), int(answer), f"{setting.act(gold)} called {setting.act(answer)}"


def _lazy(setting: Setting, margin: float) -> Iterator[Demand]:
    start = setting.stream[:, None] * setting.policy
    for act in range(setting.n + 1):
        weights = start.copy()
        weights[:, act] -= setting.stream
        why = f"the warm start earns more than {setting.act(act)} to everything"
        yield _earned(setting, "lazy", "error", why, weights, margin)


def never_punished(setting: Setting, margin: float) -> Iterator[Demand]:
    """Of the best constant, one wrong answer must be below 0. That their sum is suffices, and is linear.

    Which constant is best changes with the table: it is asked for again where the repaired table has another.
    """
    bonus = max(0.0, setting.design.bonus("wrong"))
    constants = setting.stream @ setting.earned[:, : setting.n]
    for act in np.flatnonzero(constants >= constants.max() - TIE):
        wrong = setting.wrong[:, act]
        if (setting.bare[wrong, act] + bonus >= 0).all():
            weights = np.zeros((setting.n, setting.n + 1))
            weights[wrong, act] = -1.0
            why = f"{setting.act(int(act))} is punished somewhere"
            yield Demand("costless", "error", why, weights, margin + bonus * wrong.sum())


def _free_zone(setting: Setting, margin: float) -> Iterator[Demand]:
    bonus = max(0.0, setting.design.bonus("wrong"))
    for gold, answer, name in _wrong(setting):
        yield Demand("costless", "warning", f"{name} costs something", -_cell(setting, gold, answer), margin + bonus)
    why = "silence costs something"
    least = margin + max(0.0, setting.design.bonus("silent"))
    yield Demand("costless", "note", why, -_cell(setting, 0, setting.n), least)


def _silence(setting: Setting, margin: float) -> Iterator[Demand]:
    """For no belief the best act: there is a mixture of answers that beats it at every level (minimax theorem).

    The mixture is a product of the table; it is held at the one that does best now.
    """
    cases: list[tuple[Severity, np.ndarray, str]] = [
        ("error", setting.earned, ""),
        ("warning", setting.bare, ", without bonuses too"),
    ]
    for severity, rewards, when in cases:
        behind = rewards[:, -1:] - rewards[:, :-1]
        _, mixture = game_value(-behind.T)
        for gold in range(setting.n):
            weights = np.zeros((setting.n, setting.n + 1))
            weights[gold] = [*mixture, -1.0]
            why = f"silence is best for no belief{when}"
            bonus = float((weights * (rewards - setting.bare)).sum())
            yield Demand("silence", severity, why, weights, margin - bonus)


def _silent_last(setting: Setting, margin: float) -> Iterator[Demand]:
    more = max(0.0, setting.design.bonus("silent") - setting.design.bonus("wrong"))
    for gold, answer, name in _wrong(setting):
        weights = _cell(setting, gold, answer) - _cell(setting, gold, setting.n)
        yield Demand("silence", "warning", f"{name} is no worse than silence", weights, more)


def _held(setting: Setting, margin: float) -> Iterator[Demand]:
    yield from _most_probable(setting, margin, "hedging", setting.stream, "in training")


def _drift(setting: Setting, margin: float) -> Iterator[Demand]:
    if not np.allclose(setting.stream, setting.prior):
        yield from _most_probable(setting, margin, "drift", setting.prior, "at natural shares")


def _most_probable(setting: Setting, margin: float, check: str, shares: np.ndarray, when: str) -> Iterator[Demand]:
    """What training rewards, for each belief of the warm start, is the level most probable with those shares (n,)."""
    for answer in (None, *range(setting.n + 1)):
        said = np.ones(setting.n) if answer is None else setting.policy[:, answer]
        if (shares * said).sum() <= 0:
            continue
        belief, drawn = (each * said / (each * said).sum() for each in (shares, setting.stream))
        tied = np.flatnonzero(belief >= belief.max() - TIE).tolist()  # any of them will do: the one that is best now
        level = max(tied, key=lambda act, drawn=drawn: float(drawn @ setting.earned[:, act]))
        said_so = "where nothing is known" if answer is None else f"where the warm start says {setting.act(answer)}"
        why = f"{setting.act(level)} is best {said_so}, most probable {when}"
        for act in set(range(setting.n + 1)) - set(tied):
            yield _earned(setting, check, "warning", why, _acts(setting, drawn, level, act), margin)


def _doubts(setting: Setting, margin: float) -> Iterator[Demand]:
    """Between two levels the graver is best where it is the more probable, and the best act is one of the two."""
    for low in range(setting.n):
        for high in range(low + 1, setting.n):
            even = np.zeros(setting.n)
            even[[low, high]] = 0.5
            held = {"first": (low,), "last": (high,), "neither": (low, high)}[setting.design.urgent]
            between = f"between {setting.act(low)} and {setting.act(high)}"
            for level in held:
                why = f"{setting.act(level)} is best {between} at even odds"
                for act in set(range(setting.n + 1)) - {level}:
                    yield _earned(setting, "hedging", "warning", why, _acts(setting, even, level, act), 0.0)
            if len(held) == 1:
                yield from _no_third(setting, even, held[0], low + high - held[0], f"no third act is best {between}")


def _no_third(setting: Setting, even: np.ndarray, grave: int, mild: int, why: str) -> Iterator[Demand]:
    """A third act is never ahead where the mild level is the more probable: some mixture of the two is no worse.

    The mixture is held at the one that does best now, at the two ends: even odds, and certainly mild.
    """
    sure = np.eye(setting.n)[mild]
    for act in set(range(setting.n + 1)) - {grave, mild}:
        lead = np.array([[end @ (setting.earned[:, level] - setting.earned[:, act]) for end in (even, sure)]
                         for level in (grave, mild)])  # fmt: skip
        _, mixture = game_value(lead)
        for end in (even, sure):
            weights = mixture[0] * _acts(setting, end, grave, act) + mixture[1] * _acts(setting, end, mild, act)
            yield _earned(setting, "hedging", "warning", why, weights, 0.0)


def _order(setting: Setting, margin: float) -> Iterator[Demand]:
    most = max(0.0, setting.design.bonus("wrong", 0))
    down = {"first": 1, "last": -1, "neither": 0}[setting.design.urgent]
    for gold, answer, name in _wrong(setting):
        step = most if abs(gold - answer) == 1 else 0.0  # no bonus may outbid the step from adjacent to exact
        exact, here = _cell(setting, gold, gold), _cell(setting, gold, answer)
        yield Demand("order", "warning", f"exact is better than {name}", exact - here, margin + step)
        if abs(gold - answer) > 1:
            nearer = _cell(setting, gold, answer + (1 if answer < gold else -1))
            yield Demand("order", "note", f"{name} pays no more than the nearer error", nearer - here, 0.0)
        over = 2 * gold - answer
        if (answer - gold) * down > 0 and 0 <= over < setting.n:
            why = f"{name} is no cheaper than over-triage as far"
            yield Demand("order", "note", why, _cell(setting, gold, over) - here, 0.0)


def _groups(setting: Setting, margin: float) -> Iterator[Demand]:
    """Without scaling, and with the batch's, the sign of the advantage is linear; with the group's it is not."""
    for gold in range(setting.n):
        for answer in set(range(setting.n + 1)) - {gold}:
            weights = -_cell(setting, gold, answer)
            weights[gold] += setting.policy[gold]
            why = f"{setting.act(gold)} called {setting.act(answer)} is below its group's mean"
            yield _earned(setting, "groups", "warning", why, weights, margin)
