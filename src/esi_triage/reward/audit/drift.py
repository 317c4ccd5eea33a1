"""Check 8: what the class shares of training do to a natural stream of patients.

A warning where the act that training rewards is not the most probable level at natural shares, for a belief that the
warm start holds or for none at all.
"""

from typing import Any

import numpy as np

from .finding import Checked, Finding, listed, percent
from .hedging import exchange_rates, held_beliefs, where
from .setting import Setting

LESSON = (
    "v45c and v46: oversampling a level multiplies what a miss of it costs, and the policy carries the shares of its "
    "training to patients who come in others."
)


def drift(setting: Setting) -> Checked:
    """Shares predicted on natural cases if each answer of the warm start became the act that its training rewards."""
    beliefs = held_beliefs(setting, setting.prior, setting.stream)
    untrained = held_beliefs(setting, setting.prior)
    factors = setting.design.oversample
    rates = {
        name: None if rate is None else rate * factors[grave] / factors[mild]
        for (name, rate), (grave, mild) in zip(exchange_rates(setting).items(), _neighbours(setting), strict=True)
    }
    measured = {
        "natural": setting.by_act(setting.prior),
        "training": setting.by_act(setting.stream),
        "predicted_before": setting.by_act(setting.prior @ setting.policy),
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
    """How often each act is taken when every answer of the warm start is replaced by the best act for it."""
    shares = setting.by_act(np.zeros(setting.n + 1))
    for row in beliefs:
        if row["answer"]:
            shares[row["best_act"]] += row["how_often"]
    return shares


def _findings(setting: Setting, measured: dict) -> list[Finding]:
    if np.allclose(setting.stream, setting.prior):
        return []
    rows = [row for row in measured["beliefs"] if row["best_act"] != row["most_probable"]]
    if not rows:
        return []
    pulled = [
        f"{row['best_act']} where {where(row)} "
        f"({percent(row['belief'].get(row['best_act'], 0.0))} probable, {row['most_probable']} "
        f"{percent(row['belief'][row['most_probable']])})"
        for row in rows
    ]
    after, natural = measured["predicted_after"], measured["natural"]
    grown = max(natural, key=lambda name: after[name] - natural[name])
    message = (
        f"Training rewards a pull that natural shares do not bear out: {listed(pulled)}. Followed to the end, "
        f"{percent(after[grown])} of natural cases are called {grown}, and {percent(natural[grown])} are."
    )
    keys = ("natural", "training", "predicted_after", "exchange_rates")
    return [Finding("drift", "warning", message, {key: measured[key] for key in keys} | {"beliefs": rows}, LESSON)]
