"""What the model card says happened, held against what happened here: each claim with its numbers and a verdict."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...page import percent
from ..measurement import Evaluation
from ..statistics.confusion import NEAR
from ..statistics.intervals import Figure, proportion
from ..statistics.paired_tests import SIGNIFICANT, clustered_mcnemar, mcnemar, paired

Verdict = Literal["seen here too", "seen here in part", "not seen here", "the opposite was seen here"]


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim of the card, what was measured here for it, and whether that agrees."""

    text: str
    measured: str
    verdict: Verdict


@cache
def card_results() -> dict[str, dict[str, Any]]:
    """The card's own table by experiment: proportions with Wilson intervals; absent where the card gives no figure."""
    names = ("exact", "within_one", "no_parse")
    return {
        run: {**{k: proportion(row[k], _card()["n"]) for k in names if k in row}, "about": row.get("about", False)}
        for run, row in _card().items()
        if isinstance(row, dict)
    }


@cache
def _card() -> dict[str, Any]:
    file = resources.files("esi_triage.evaluate.report") / "model_card.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def on_the_card_s_cases(measured: dict[str, Any]) -> bool:
    """Whether figures are on the 36 cases on which the card's are: those of MIETIC that the experts retained."""
    return measured.get("sources") == ["mietic-validate"] and measured["n"] == _card()["n"]


def check_claims(results: dict[str, Evaluation]) -> list[Claim]:
    """The claims that the members in `results` allow to check, in the order of the card."""
    claims = []
    if {"v43", "v45c"} <= results.keys():
        claims.append(_collapse(results["v43"], results["v45c"]))
    if {"v43", "v46"} <= results.keys():
        claims.append(_exact("v46 is exact more often than its warm start v43", results["v43"], results["v46"], +1))
    if {"v46", "v47"} <= results.keys():
        claims.append(_exact("v47, v46 trained on, is exact less often", results["v46"], results["v47"], -1))
        claims.append(_hedging(results["v46"], results["v47"]))
    if {"v43", "v48"} <= results.keys():
        claims.append(_no_answers(results["v48"]))
        claims.append(_exact("v48 is exact less often than its warm start v43", results["v43"], results["v48"], -1))
    return claims


def _exact(text: str, before: Evaluation, after: Evaluation, direction: int) -> Claim:
    test = paired(before.scored, after.scored)
    verdict: Verdict = "not seen here"
    if test["p_by_patient"] < SIGNIFICANT:
        verdict = "seen here too" if test["difference"] * direction > 0 else "the opposite was seen here"
    measured = (
        f"{percent(_value(before, 'exact'))} to {percent(_value(after, 'exact'))} on {test['n']} cases; "
        f"{test['gained']} gained, {test['lost']} lost, {_mcnemar(test['p'], test['p_by_patient'])}"
    )
    return Claim(text, measured, verdict)


def _collapse(parent: Evaluation, child: Evaluation) -> Claim:
    """Over half of all answers is a collapse; clearly more than both the warm start and the gold is part of one."""
    before, after = parent.metrics["predicted_share"]["1"], child.metrics["predicted_share"]["1"]
    gold = sum(level == 1 for level in child.gold) / len(child.gold)
    measured = f"ESI-1 is {percent(gold)} of the gold; answered by v43 {_in_words(before)}, by v45c {_in_words(after)}"
    verdict = _when(after["low"] > 0.5)
    if verdict == "not seen here" and after["low"] > max(gold, before["high"]):
        verdict = "seen here in part"
    return Claim("v45c collapses to ESI-1 (over half of all answers)", measured, verdict)


def _hedging(before: Evaluation, after: Evaluation) -> Claim:
    first, second = before.metrics["within_one"], after.metrics["within_one"]
    change = _near(after).astype(int) - _near(before)
    gained, lost = int((change > 0).sum()), int((change < 0).sum())
    p = clustered_mcnemar(change, before.scored.clusters)
    measured = f"within one: v46 {_in_words(first)}, v47 {_in_words(second)}; {_mcnemar(mcnemar(gained, lost), p)}"
    return Claim("v47 hedges: within one level more often than v46", measured, _when(gained > lost and p < SIGNIFICANT))


def _mcnemar(p: float, by_patient: float) -> str:
    """The p that decides: that of patients or groups, which is another one where they have several cases."""
    return f"exact McNemar p = {by_patient:.2g}" + (" (by patient or group)" if by_patient != p else "")


def _no_answers(after: Evaluation) -> Claim:
    share = after.metrics["no_parse"]
    measured = f"no parseable answer: v48 {_in_words(share)}"
    return Claim("v48 falls silent (more than a tenth without a parseable answer)", measured, _when(share["low"] > 0.1))


def _near(result: Evaluation) -> NDArray[np.bool_]:
    """(n,): whether the answer is within one level."""
    return NEAR.ravel()[result.scored.cells]


def _when(seen: bool) -> Verdict:
    return "seen here too" if seen else "not seen here"


def _value(result: Evaluation, name: str) -> float | None:
    return result.metrics[name]["value"]


def _in_words(share: Figure) -> str:
    return f"{percent(share['value'])} ({100 * (share['low'] or 0):.0f} to {100 * (share['high'] or 0):.0f})"
