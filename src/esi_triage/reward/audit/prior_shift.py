"""Check 8: prior shift. What the class shares of training do to patients in deployment.

A warning where the action that training rewards is not the most probable level in deployment, for a belief that the
warm start holds or for none at all.
"""

from typing import Any

import numpy as np

from .finding import AuditFinding, Checked, listed, short_percent
from .hedging import exchange_rates, held_beliefs, where
from .setting import Setting

LESSON = (
    "v45c and v46: oversampling a level multiplies what a miss of it costs, and the policy carries the shares of its "
    "training to patients who come in others."
)


def prior_shift(setting: Setting) -> Checked:
    """Shares predicted in deployment if each answer of the warm start became the action that its training rewards."""
    beliefs = held_beliefs(setting, setting.prior, setting.training_prior)
    untrained = held_beliefs(setting, setting.prior)
    factors = setting.design.oversample
    rates = {
        name: None if rate is None else rate * factors[grave] / factors[mild]
        for (name, rate), (grave, mild) in zip(exchange_rates(setting).items(), _neighbours(setting), strict=True)
    }
    measured = {
        "natural": setting.by_action(setting.prior),
        "training": setting.by_action(setting.training_prior),
        "predicted_before": setting.by_action(setting.prior @ setting.policy),
        "predicted_after_unsampled": _predicted(setting, untrained),
        "predicted_after": _predicted(setting, beliefs),
        "exchange_rates": rates,
        "beliefs": beliefs,
    }
    return Checked(measured, _findings(setting, measured))


def _neighbours(setting: Setting) -> list[tuple[int, int]]:
    pairs = [(level, level + 1) for level in range(1, setting.n)]
    return [(mild, grave) for grave, mild in pairs] if setting.design.urgent == "last" else pairs


def _predicted(setting: Setting, beliefs: list[dict[str, Any]]) -> dict[str, float]:
    """How often each action is taken when every answer of the warm start is replaced by the best action for it."""
    shares = setting.by_action(np.zeros(setting.n + 1))
    for row in beliefs:
        if row["answer"]:
            shares[row["best_act"]] += row["how_often"]
    return shares


def _findings(setting: Setting, measured: dict) -> list[AuditFinding]:
    if np.allclose(setting.training_prior, setting.prior):
        return []
    rows = [row for row in measured["beliefs"] if row["best_act"] != row["most_probable"]]
    if not rows:
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
    keys = ("natural", "training", "predicted_after", "exchange_rates")
    return [AuditFinding("drift", "warning", message, {key: measured[key] for key in keys} | {"beliefs": rows}, LESSON)]
