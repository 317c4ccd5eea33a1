"""Check 4: where does it pay to answer something other than the most probable level?

A shift to the urgent end over doubts between two levels is what a safety asymmetry is for: a note, with its exchange
rate. A shift the other way, to a level that is in no doubt or to silence is a warning; so is any shift at a belief that
the warm start really holds on the training stream.
"""

from typing import Any

import numpy as np

from .beliefs import TIE, Region, best_acts, misfits
from .finding import Checked, Finding, listed, percent
from .setting import Setting

LESSON = (
    "v46 and v47: an answer that is cheap when wrong is the best act under doubt, so training moves there although the "
    "patient is more probably something else."
)


MEANT = "This is what a safety asymmetry buys, and what it costs: check that the rates are those you want."


def hedging(setting: Setting) -> Checked:
    """The best act for every two- and three-level belief and for the warm start's own; the implied exchange rates."""
    pairs, triples = (misfits(setting.earned, size) for size in (2, 3))
    held = held_beliefs(setting, setting.stream)
    shifted = [row for row in held if row["answer"] and row["best_act"] != row["most_probable"]]
    measured = {
        "shifted_pairs": _shares(setting, pairs, setting.n * (setting.n - 1) // 2),
        "shifted_triples": _shares(setting, triples, setting.n * (setting.n - 1) * (setting.n - 2) // 6),
        "exchange_rates": exchange_rates(setting),
        "held": held,
        "held_share": sum(row["how_often"] for row in shifted),
    }
    return Checked(measured, [*_held(measured), *_unsafe(setting, pairs), *_safe(setting, pairs, measured)])


def direction(setting: Setting, likely: int, act: int) -> str:
    """Where an act lies from the likely level: urgent, away (from it), silent; lower, higher without an urgent end."""
    if act == setting.n:
        return "silent"
    if setting.design.urgent == "neither":
        return "lower" if act < likely else "higher"
    return "urgent" if (act < likely) == (setting.design.urgent == "first") else "away"


def held_beliefs(setting: Setting, shares: np.ndarray, trained: np.ndarray | None = None) -> list[dict[str, Any]]:
    """What the warm start knows, by its own answer (Bayes), and with no information at all; and the best act for it.

    `shares` (n,) are how common the levels are; the act is the best one where they are `trained`, by default the same.
    """
    rows = []
    for answer in (None, *range(setting.n + 1)):
        said = np.ones(setting.n) if answer is None else setting.policy[:, answer]
        joint, drawn = shares * said, (shares if trained is None else trained) * said
        if joint.sum() <= 0 or drawn.sum() <= 0:
            continue
        belief, seen = joint / joint.sum(), drawn / drawn.sum()
        act = int(best_acts(setting.earned, seen[None])[0])
        likely = act if act < setting.n and belief[act] >= belief.max() - TIE else int(belief.argmax())
        rows.append(
            {
                "answer": "" if answer is None else setting.act(answer),
                "how_often": float(joint.sum()),
                "most_probable": setting.act(likely),
                "best_act": setting.act(act),
                "direction": "" if act == likely else direction(setting, likely, act),
                "belief": setting.by_act(belief),
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
        missed = setting.earned[grave, grave] - setting.earned[grave, mild]
        alarm = setting.earned[mild, mild] - setting.earned[mild, grave]
        rates[f"{setting.act(grave)}/{setting.act(mild)}"] = float(missed / alarm) if alarm > 0 else None
    return rates


def _shares(setting: Setting, regions: list[Region], sets: int) -> dict[str, float]:
    """The share of all beliefs where the best act is not the most probable level, in all and by direction."""
    shares: dict[str, float] = {"all": sum(region.share for region in regions) / max(sets, 1)}
    for region in regions:
        way = direction(setting, region.likely, region.act)
        way = way if region.act in region.levels or way == "silent" else "outside"
        shares[way] = shares.get(way, 0.0) + region.share / sets
    return shares


def _held(measured: dict) -> list[Finding]:
    rows = [row for row in measured["held"] if row["best_act"] != row["most_probable"]]
    if not rows:
        return []
    cases = [f"{row['best_act']} where {where(row)} (most probably {row['most_probable']})" for row in rows]
    often = f" That is {percent(share)} of its answers." if (share := measured["held_share"]) else ""
    message = f"On the training stream the best act is not the most probable level: {listed(cases)}.{often}"
    return [Finding("hedging", "warning", message, {"held_share": measured["held_share"], "beliefs": rows}, LESSON)]


def _unsafe(setting: Setting, pairs: list[Region]) -> list[Finding]:
    amiss = [
        region
        for region in pairs
        if region.act not in region.levels or direction(setting, region.likely, region.act) != "urgent"
    ]
    if not amiss:
        return []
    widest = sorted(amiss, key=lambda region: -region.share)
    named = [
        f"{setting.act(r.act)} between {setting.act(r.levels[0])} and {setting.act(r.levels[1])}, "
        f"where {setting.act(r.likely)} has {percent(float(r.corners[:, r.levels.index(r.likely)].min()))} to "
        f"{percent(float(r.corners[:, r.levels.index(r.likely)].max()))}"
        for r in widest
    ]
    side = "" if setting.design.urgent == "neither" else ", away from the urgent end or out of the doubt"
    message = f"In a doubt between two levels the best act is not the more probable one{side}: {listed(named, 3)}."
    numbers = {"regions": [_plain(setting, region) for region in widest]}
    return [Finding("hedging", "warning", message, numbers, LESSON)]


def _safe(setting: Setting, pairs: list[Region], measured: dict) -> list[Finding]:
    if not any(direction(setting, r.likely, r.act) == "urgent" and r.act in r.levels for r in pairs):
        return []
    rates = [f"{name} {'∞' if rate is None else f'{rate:.2g}'}" for name, rate in measured["exchange_rates"].items()]
    share = percent(measured["shifted_pairs"].get("urgent", 0.0))
    message = (
        f"In {share} of the doubts between two levels the more urgent one is the best act though less probable. One "
        f"miss weighs as so many false alarms: {listed(rates, 9)}."
    )
    numbers = {key: measured[key] for key in ("exchange_rates", "shifted_pairs", "shifted_triples")}
    return [Finding("hedging", "note", message, numbers, MEANT)]


def _plain(setting: Setting, region: Region) -> dict[str, Any]:
    certain = region.corners[:, region.levels.index(region.likely)]
    return {
        "levels": [setting.act(level) for level in region.levels],
        "most_probable": setting.act(region.likely),
        "best_act": setting.act(region.act),
        "probability": [float(certain.min()), float(certain.max())],
        "share": region.share,
    }
