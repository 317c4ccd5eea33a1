"""Check 4: where does it pay to answer something other than the most probable level?

A shift to the urgent end over doubts between two levels is what a safety asymmetry is for: a note, with its exchange
rate. A shift to a level that is in no doubt or to abstention is a warning; so is one away from the urgent end, and any
shift at a belief that the warm start really holds in training. Under the group's scaling a row counts in units of its
spread, and that moves while the policy does: there a shift between the two levels in doubt is a note.
"""

from typing import Any

import numpy as np

from .beliefs import TIE, Doubt, best_actions, misfits
from .finding import AuditFinding, Checked, Severity, listed, short_percent
from .setting import Setting

LESSON = (
    "v46 and v47: an answer that is cheap when wrong is the best action under doubt, so training moves there although "
    "the patient is more probably something else."
)


MEANT = "This is what a safety asymmetry buys, and what it costs: check that the rates are those you want."


def hedging(setting: Setting) -> Checked:
    """The best action in each doubt between two levels and for the warm start's beliefs; the implied exchange rates."""
    pairs = misfits(setting.with_bonuses)
    held = held_beliefs(setting, setting.training_prior)
    shifted = [row for row in held if row["answer"] and row["best_act"] != row["most_probable"]]
    measured = {
        "shifted_pairs": _shares(setting, pairs, setting.n * (setting.n - 1) // 2),
        "exchange_rates": exchange_rates(setting),
        "held": held,
        "held_share": sum(row["how_often"] for row in shifted),
    }
    return Checked(measured, [*_held(measured), *_unsafe(setting, pairs), *_safe(setting, pairs, measured)])


def direction(setting: Setting, likely: int, action: int) -> str:
    """Where an action lies from the likely level: urgent, away, silent; lower or higher without an urgent end."""
    if action == setting.n:
        return "silent"
    if setting.design.urgent == "neither":
        return "lower" if action < likely else "higher"
    return "urgent" if (action < likely) == (setting.design.urgent == "first") else "away"


def held_beliefs(setting: Setting, shares: np.ndarray, trained: np.ndarray | None = None) -> list[dict[str, Any]]:
    """What the warm start knows, by its own answer (Bayes), and with no information at all; and the best action for it.

    `shares` (n,) are how common the levels are; the action is the best one where they are `trained`, if given.
    """
    rows = []
    for answer in (None, *range(setting.n + 1)):
        said = np.ones(setting.n) if answer is None else setting.policy[:, answer]
        joint, drawn = shares * said, (shares if trained is None else trained) * said
        if joint.sum() <= 0 or drawn.sum() <= 0:
            continue
        belief, seen = joint / joint.sum(), drawn / drawn.sum()
        action = int(best_actions(setting.with_bonuses, seen[None])[0])
        likely = action if action < setting.n and belief[action] >= belief.max() - TIE else int(belief.argmax())
        rows.append(
            {
                "answer": "" if answer is None else setting.action(answer),
                "how_often": float(joint.sum()),
                "most_probable": setting.action(likely),
                "best_act": setting.action(action),
                "direction": "" if action == likely else direction(setting, likely, action),
                "belief": setting.by_action(belief),
            }
        )
    return rows


def where(row: dict[str, Any]) -> str:
    """The situation of a held belief, in words."""
    if not row["answer"]:
        return "nothing is known"
    return f"the warm start {'gives' if row['answer'] == 'no answer' else 'says'} {row['answer']}"


def exchange_rates(setting: Setting) -> dict[str, float | None]:
    """For neighbours: how many false alarms weigh as much as one miss of the graver level; None: however many.

    2 for "ESI-2/ESI-3" says that answering 2 is best as soon as it is half as probable as 3.
    """
    rates: dict[str, float | None] = {}
    for first in range(setting.n - 1):
        grave, mild = (first + 1, first) if setting.design.urgent == "last" else (first, first + 1)
        missed = setting.with_bonuses[grave, grave] - setting.with_bonuses[grave, mild]
        alarm = setting.with_bonuses[mild, mild] - setting.with_bonuses[mild, grave]
        rates[f"{setting.action(grave)}/{setting.action(mild)}"] = float(missed / alarm) if alarm > 0 else None
    return rates


def _shares(setting: Setting, regions: list[Doubt], sets: int) -> dict[str, float]:
    """The share of all beliefs where the best action is not the most probable level, in all and by direction."""
    shares: dict[str, float] = {"all": sum(region.share for region in regions) / max(sets, 1)}
    for region in regions:
        way = direction(setting, region.likely, region.action)
        way = way if region.action in region.levels or way == "silent" else "outside"
        shares[way] = shares.get(way, 0.0) + region.share / sets
    return shares


def _held(measured: dict) -> list[AuditFinding]:
    rows = [row for row in measured["held"] if row["best_act"] != row["most_probable"]]
    if not rows:
        return []
    cases = [f"{row['best_act']} where {where(row)} (most probably {row['most_probable']})" for row in rows]
    often = f" That is {short_percent(share)} of its answers." if (share := measured["held_share"]) else ""
    message = f"In training the best action is not the most probable level: {listed(cases)}.{often}"
    return [
        AuditFinding("hedging", "warning", message, {"held_share": measured["held_share"], "beliefs": rows}, LESSON)
    ]


def _unsafe(setting: Setting, pairs: list[Doubt]) -> list[AuditFinding]:
    outside = [doubt for doubt in pairs if doubt.action not in doubt.levels]
    away = [d for d in pairs if d.action in d.levels and direction(setting, d.likely, d.action) != "urgent"]
    severity: Severity = "warning" if setting.scale == "none" else "note"
    side = "" if setting.design.urgent == "neither" else ", away from the urgent end"
    return [
        *_shifted(setting, outside, "warning", "In a doubt between two levels neither of them is the best action"),
        *_shifted(
            setting, away, severity, f"In a doubt between two levels the less probable one is the best action{side}"
        ),
    ]


def _shifted(setting: Setting, shifts: list[Doubt], severity: Severity, sentence: str) -> list[AuditFinding]:
    if not shifts:
        return []
    widest = sorted(shifts, key=lambda doubt: -doubt.share)
    named = [
        f"{setting.action(d.action)} between {setting.action(d.levels[0])} and {setting.action(d.levels[1])}, "
        f"where {setting.action(d.likely)} has {' to '.join(map(short_percent, d.of_likely()))}"
        for d in widest
    ]
    numbers = {"regions": [_plain(setting, doubt) for doubt in widest]}
    return [AuditFinding("hedging", severity, f"{sentence}: {listed(named, 3)}.", numbers, LESSON)]


def _safe(setting: Setting, pairs: list[Doubt], measured: dict) -> list[AuditFinding]:
    if not any(direction(setting, r.likely, r.action) == "urgent" and r.action in r.levels for r in pairs):
        return []
    rates = [f"{name} {'∞' if rate is None else f'{rate:.2g}'}" for name, rate in measured["exchange_rates"].items()]
    share = short_percent(measured["shifted_pairs"].get("urgent", 0.0))
    message = (
        f"In {share} of the doubts between two levels the more urgent one is the best action though less probable. One "
        f"miss weighs as so many false alarms: {listed(rates, 9)}."
    )
    numbers = {key: measured[key] for key in ("exchange_rates", "shifted_pairs")}
    return [AuditFinding("hedging", "note", message, numbers, MEANT)]


def _plain(setting: Setting, region: Doubt) -> dict[str, Any]:
    return {
        "levels": [setting.action(level) for level in region.levels],
        "most_probable": setting.action(region.likely),
        "best_act": setting.action(region.action),
        "probability": list(region.of_likely()),
        "share": region.share,
    }
