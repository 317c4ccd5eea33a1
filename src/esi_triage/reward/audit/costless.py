"""Check 2: acts that cost nothing, and what the bonuses pay there."""

import numpy as np

from .finding import Checked, Finding, listed, percent, signed
from .setting import Setting

NEVER = "v45c: every action needs a real cost somewhere; one without a cost can become the answer to everything."
ZONE = "v47: trained on, the policy mined v46's free zone for its bonuses instead of being exact."


def costless(setting: Setting) -> Checked:
    """Levels that are never punished; the free zone (wrong and at least 0, in the table or with the bonuses)."""
    n, design = setting.n, setting.design
    pay = np.maximum(setting.bare, setting.earned)
    free = setting.wrong & (pay[:, :n] >= 0)
    unpunished = [a for a in range(n) if free[:, a].sum() == n - 1]
    never_exact = np.where(setting.wrong, setting.earned[:, :n], -np.inf).max(axis=1)
    oracle = float(setting.stream @ setting.earned[:, :n].diagonal())
    measured = {
        "never_punished": [setting.act(a) for a in unpunished],
        "free_zone": [[setting.act(g), setting.act(a), float(setting.bare[g, a])] for g, a in np.argwhere(free)],
        "free_cells": int(free.sum()),
        "wrong_cells": n * (n - 1),
        "share_of_warm_start_errors": _share_of_errors(setting, free),
        "bonus_when_wrong": design.bonus("wrong"),
        "bonus_when_wrong_at_most": design.bonus("wrong", 0),
        "bonus_when_silent": design.bonus("silent"),
        "never_exact_reward": float(setting.stream @ never_exact),
        "never_exact_share_of_oracle": float(setting.stream @ never_exact) / oracle if oracle > 0 else None,
    }
    findings = [*_never_punished(setting, unpunished), *_free_zone(setting, free, measured)]
    if pay[:, n].min() >= 0:
        message = f"Silence costs nothing: no answer earns {signed(pay[:, n].min())}."
        findings.append(Finding("costless", "note", message, {"no_parse": design.no_parse}, NEVER))
    return Checked(measured, findings)


def _share_of_errors(setting: Setting, cells: np.ndarray) -> float:
    """How many of the warm start's errors on the training stream fall into `cells`; 0 where it makes none."""
    errors = setting.stream[:, None] * setting.policy[:, : setting.n] * setting.wrong
    return float((errors * cells).sum() / errors.sum()) if errors.any() else 0.0


def _never_punished(setting: Setting, unpunished: list[int]) -> list[Finding]:
    constants = setting.stream @ setting.earned[:, : setting.n]
    best = [a for a in unpunished if constants[a] >= constants.max() - 1e-9]
    if not best:
        return []
    name = setting.act(best[0])
    numbers = {"level": name, "reward": float(constants[best[0]]), "constants": setting.by_act(constants)}
    message = (
        f"{name} is never punished, whatever the true level, and always answering it is the best constant on the "
        f"training stream ({signed(constants[best[0]])})."
    )
    return [Finding("costless", "error", message, numbers, NEVER)]


def _free_zone(setting: Setting, free: np.ndarray, measured: dict) -> list[Finding]:
    if not free.any():
        return []
    cells = [f"{setting.act(g)} called {setting.act(a)}" for g, a in np.argwhere(free)]
    paid, most = measured["bonus_when_wrong"], measured["bonus_when_wrong_at_most"]
    bonuses = f"; bonuses alone pay {signed(paid)} there (up to {signed(most)})" if most > 0 else ""
    message = (
        f"{len(cells)} of {measured['wrong_cells']} wrong answers cost nothing ({listed(cells)}){bonuses}. "
        f"{percent(measured['share_of_warm_start_errors'])} of the warm start's errors are such."
    )
    keys = ("free_cells", "wrong_cells", "share_of_warm_start_errors", "bonus_when_wrong", "bonus_when_wrong_at_most")
    numbers = {key: measured[key] for key in (*keys, "never_exact_reward", "never_exact_share_of_oracle", "free_zone")}
    return [Finding("costless", "warning", message, numbers, ZONE)]
