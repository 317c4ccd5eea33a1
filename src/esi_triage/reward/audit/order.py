"""Check 5: does the table respect the order of the levels and the safety of the patient?"""

import numpy as np

from .finding import AuditFinding, Checked, Severity, listed, signed
from .setting import Setting

LESSON = "Only differences count: where an error pays more than a smaller or a safer one, training can move towards it."


def order(setting: Setting) -> Checked:
    """Exact strictly best; farther never pays more; under-triage never cheaper; no bonus outbids exactness."""
    table = setting.table_only[:, : setting.n]
    step, bonus = _smallest_step(setting, table), setting.design.bonus("wrong", 0)
    measured = {
        "not_best": _named(setting, _not_best(table)),
        "farther_pays_more": _named(setting, _farther(table)),
        "under_triage_cheaper": _named(setting, _under_cheaper(table, setting.design.urgent)),
        "bonus_outbids_exactness": bonus > 0 and bonus >= step,
    }
    return Checked(measured, _findings(measured, step, bonus))


def _not_best(table: np.ndarray) -> list[tuple[int, int]]:
    """(gold, wrong answer) that pays at least what the exact one does."""
    n = len(table)
    return [(g, a) for g in range(n) for a in range(n) if a != g and table[g, a] >= table[g, g]]


def _farther(table: np.ndarray) -> list[tuple[int, int]]:
    """(gold, wrong answer) that pays more than the next wrong answer on the way to gold."""
    n = len(table)
    outward = [(g, a, a + (1 if a < g else -1)) for g in range(n) for a in range(n) if abs(a - g) >= 2]
    return [(g, a) for g, a, nearer in outward if table[g, a] > table[g, nearer]]


def _under_cheaper(table: np.ndarray, urgent: str) -> list[tuple[int, int]]:
    """(gold, under-triage) that pays more than the over-triage at the same distance."""
    if urgent == "neither":
        return []
    n, down = len(table), 1 if urgent == "first" else -1
    pairs = [(g, g + down * d, g - down * d) for g in range(n) for d in range(1, n)]
    inside = [(g, under, over) for g, under, over in pairs if 0 <= under < n and 0 <= over < n]
    return [(g, under) for g, under, over in inside if table[g, under] > table[g, over]]


def _smallest_step(setting: Setting, table: np.ndarray) -> float:
    """The least that an exact answer pays more than an adjacent one, in units of reward."""
    rewards = table * setting.units
    return float(min(-rewards[g, a] for g in range(setting.n) for a in (g - 1, g + 1) if 0 <= a < setting.n))


def _named(setting: Setting, cells: list[tuple[int, int]]) -> list[list[str]]:
    return [[setting.action(gold), setting.action(answer)] for gold, answer in cells]


def _findings(measured: dict, step: float, bonus: float) -> list[AuditFinding]:
    said: dict[str, tuple[Severity, str]] = {
        "not_best": ("warning", "An exact answer is not strictly the best"),
        "farther_pays_more": ("note", "A larger error pays more than a smaller one in the same direction"),
        "under_triage_cheaper": ("note", "Under-triage is cheaper than over-triage by as many levels"),
    }
    findings = [
        AuditFinding(
            "order", severity, f"{sentence}: {listed([f'{g} called {a}' for g, a in cells])}.", {key: cells}, LESSON
        )
        for key, (severity, sentence) in said.items()
        if (cells := measured[key])
    ]
    if measured["bonus_outbids_exactness"]:
        message = (
            f"The bonuses outbid exactness: a wrong answer can earn {signed(bonus)} for form, and the step from "
            f"adjacent to exact is worth {signed(step)}."
        )
        findings.append(AuditFinding("order", "warning", message, {"bonus": bonus, "step": step}, LESSON))
    return findings
