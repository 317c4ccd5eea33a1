"""Check 4: where does it pay to answer something other than the most probable level?

A shift to the urgent end over doubts between two levels is what a safety asymmetry is for: a note, with its exchange
rate. A shift to a level that is in no doubt or to abstention is a warning; so is one away from the urgent end, and any
shift at a belief that the warm start really holds in training. Under the group's scaling a row counts in units of its
spread, and that moves while the policy does: there a shift between the two levels in doubt is a note.
"""

from collections.abc import Iterator, Mapping
from math import comb
from typing import Any

import numpy as np

from .beliefs import TIE, Doubt, best_actions, misfits
from .finding import LESSONS, AuditFinding, Checked, Severity, listed, short_percent
from .setting import Setting


def hedging(setting: Setting) -> Checked:
    """The best action in each doubt between two levels and for the warm start's beliefs; the implied exchange rates."""
    pairs = misfits(setting.with_bonuses)
    held = list(held_beliefs(setting, setting.training_prior))
    shifted = [row for row in held if row["answer"] and row["best_act"] != row["most_probable"]]
    shares: dict[str, float] = {"all": sum(doubt.share for doubt in pairs)}
    for doubt in pairs:
        shares[_way(setting, doubt)] = shares.get(_way(setting, doubt), 0.0) + doubt.share
    measured = {
        "shifted_pairs": {way: share / comb(setting.n, 2) for way, share in shares.items()},  # of all beliefs
        "exchange_rates": exchange_rates(setting),
        "held": held,
        "held_share": sum(row["how_often"] for row in shifted),
    }
    return Checked(measured, [*_held(measured), *_unsafe(setting, pairs), *_safe(measured)])


def direction(setting: Setting, likely: int, action: int) -> str:
    """Where an action lies from the likely level: urgent, away, silent; lower or higher without an urgent end."""
    if action == setting.n:
        return "silent"
    if setting.design.urgent == "neither":
        return "lower" if action < likely else "higher"
    return "urgent" if (action < likely) == (setting.design.urgent == "first") else "away"


def held_beliefs(setting: Setting, shares: np.ndarray, trained: np.ndarray | None = None) -> Iterator[dict[str, Any]]:
    """What the warm start knows, by its own answer (Bayes), and with no information at all; and the best action for it.

    `shares` (n,) are how common the levels are; the action is the best one where they are `trained`, if given.
    """
    for answer in (None, *range(setting.n + 1)):
        said = np.ones(setting.n) if answer is None else setting.policy[:, answer]
        joint, drawn = shares * said, (shares if trained is None else trained) * said
        if joint.sum() <= 0 or drawn.sum() <= 0:
            continue
        belief, seen = joint / joint.sum(), drawn / drawn.sum()
        action = int(best_actions(setting.with_bonuses, seen[None])[0])
        likely = action if action < setting.n and belief[action] >= belief.max() - TIE else int(belief.argmax())
        yield {
            "answer": "" if answer is None else setting.action(answer),
            "how_often": float(joint.sum()),
            "most_probable": setting.action(likely),
            "best_act": setting.action(action),
            "direction": "" if action == likely else direction(setting, likely, action),
            "belief": setting.by_action(belief),
        }


def where(row: dict[str, Any]) -> str:
    """The situation of a held belief, in words."""
    if not row["answer"]:
        return "nothing is known"
    return f"the warm start {'gives' if row['answer'] == 'no answer' else 'says'} {row['answer']}"


def exchange_rates(setting: Setting, factors: Mapping[int, float] | None = None) -> dict[str, float | None]:
    """For neighbours: how many false alarms weigh as much as one miss of the graver level; None: however many.

    2 for "ESI-2/ESI-3" says that answering 2 is best as soon as it is half as probable as 3. `factors`: with each level
    drawn so many times as often.
    """
    rates: dict[str, float | None] = {}
    for first in range(setting.n - 1):
        grave, mild = (first + 1, first) if setting.design.urgent == "last" else (first, first + 1)
        missed, alarm = 0.0 - setting.with_bonuses[[grave, mild], [mild, grave]]  # less than the exact answer's 0
        drawn = factors[grave + 1] / factors[mild + 1] if factors else 1.0
        rates[f"{setting.action(grave)}/{setting.action(mild)}"] = float(missed / alarm * drawn) if alarm > 0 else None
    return rates


def _way(setting: Setting, doubt: Doubt) -> str:
    """The direction of the best action in a doubt; outside, where it is neither of the two levels."""
    way = direction(setting, doubt.likely, doubt.action)
    return way if doubt.action in doubt.levels or way == "silent" else "outside"


def _held(measured: dict[str, Any]) -> list[AuditFinding]:
    rows = [row for row in measured["held"] if row["best_act"] != row["most_probable"]]
    if not rows:
        return []
    cases = [f"{row['best_act']} where {where(row)} (most probably {row['most_probable']})" for row in rows]
    often = f" That is {short_percent(share)} of its answers." if (share := measured["held_share"]) else ""
    message = f"In training the best action is not the most probable level: {listed(cases)}.{often}"
    numbers = {"held_share": measured["held_share"], "beliefs": rows}
    return [AuditFinding("hedging", "warning", message, numbers, LESSONS["hedging"])]


def _unsafe(setting: Setting, pairs: list[Doubt]) -> list[AuditFinding]:
    """Doubts whose best action is a third one, and those where it is the less probable and not the more urgent one."""
    third = [doubt for doubt in pairs if doubt.action not in doubt.levels]
    away = [doubt for doubt in pairs if _way(setting, doubt) in ("away", "lower", "higher")]
    severity: Severity = "warning" if setting.scale == "none" else "note"
    side = "" if setting.design.urgent == "neither" else ", away from the urgent end"
    return [
        *_shifted(setting, third, "warning", "neither of them is the best action"),
        *_shifted(setting, away, severity, f"the less probable one is the best action{side}"),
    ]


def _shifted(setting: Setting, shifts: list[Doubt], severity: Severity, said: str) -> list[AuditFinding]:
    regions = [_plain(setting, doubt) for doubt in sorted(shifts, key=lambda doubt: -doubt.share)]
    named = [
        f"{one['best_act']} between {' and '.join(one['levels'])}, "
        f"where {one['most_probable']} has {' to '.join(map(short_percent, one['probability']))}"
        for one in regions
    ]
    if not named:
        return []
    message = f"In a doubt between two levels {said}: {listed(named, 3)}."
    return [AuditFinding("hedging", severity, message, {"regions": regions}, LESSONS["hedging"])]


def _safe(measured: dict[str, Any]) -> list[AuditFinding]:
    if "urgent" not in measured["shifted_pairs"]:
        return []
    rates = [f"{name} {'∞' if rate is None else f'{rate:.2g}'}" for name, rate in measured["exchange_rates"].items()]
    share = short_percent(measured["shifted_pairs"]["urgent"])
    message = (
        f"In {share} of the doubts between two levels the more urgent one is the best action though less probable. One "
        f"miss weighs as so many false alarms: {listed(rates, 9)}."
    )
    numbers = {key: measured[key] for key in ("exchange_rates", "shifted_pairs")}
    return [AuditFinding("hedging", "note", message, numbers, LESSONS["asymmetry"])]


def _plain(setting: Setting, region: Doubt) -> dict[str, Any]:
    return {
        "levels": [setting.action(level) for level in region.levels],
        "most_probable": setting.action(region.likely),
        "best_act": setting.action(region.action),
        "probability": list(region.of_likely()),
        "share": region.share,
    }
