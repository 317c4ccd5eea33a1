"""Check 8: prior shift. What the class shares of training do to patients in deployment.

A warning where the action that training rewards is not the most probable level in deployment, for a belief that the
warm start holds or for none at all.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from .finding import LESSONS, AuditFinding, Checked, listed, short_percent
from .hedging import exchange_rates, held_beliefs, where
from .setting import Setting


def prior_shift(setting: Setting) -> Checked:
    """Shares predicted in deployment if each answer of the warm start became the action that its training rewards."""
    beliefs = list(held_beliefs(setting, setting.prior, setting.training_prior))
    measured = {
        "natural": setting.by_action(setting.prior),
        "training": setting.by_action(setting.training_prior),
        "predicted_before": setting.by_action(setting.prior @ setting.policy),
        "predicted_after_unsampled": _predicted(setting, held_beliefs(setting, setting.prior)),
        "predicted_after": _predicted(setting, beliefs),
        "exchange_rates": exchange_rates(setting, setting.design.oversample),
        "beliefs": beliefs,
    }
    return Checked(measured, _findings(setting, measured))


def _predicted(setting: Setting, beliefs: Iterable[dict[str, Any]]) -> dict[str, float]:
    """How often each action is taken when every answer of the warm start is replaced by the best action for it."""
    shares = setting.by_action(np.zeros(setting.n + 1))
    for row in beliefs:
        if row["answer"]:
            shares[row["best_act"]] += row["how_often"]
    return shares


def _findings(setting: Setting, measured: dict) -> list[AuditFinding]:
    rows = [row for row in measured["beliefs"] if row["best_act"] != row["most_probable"]]
    if not rows or np.allclose(setting.training_prior, setting.prior):
        return []
    shifted = [
        f"{row['best_act']} where {where(row)} "
        f"({short_percent(row['belief'].get(row['best_act'], 0.0))} probable, {row['most_probable']} "
        f"{short_percent(row['belief'][row['most_probable']])})"
        for row in rows
    ]
    after, deployed = measured["predicted_after"], measured["natural"]
    grown = max(deployed, key=lambda name: after[name] - deployed[name])
    message = (
        f"Training rewards actions that the shares in deployment do not bear out: {listed(shifted)}. Followed to the "
        f"end, {short_percent(after[grown])} of the cases in deployment are called {grown}, and "
        f"{short_percent(deployed[grown])} are."
    )
    numbers = {key: measured[key] for key in ("natural", "training", "predicted_after", "exchange_rates")}
    return [AuditFinding("drift", "warning", message, numbers | {"beliefs": rows}, LESSONS["drift"])]
