"""Check 5: does the table respect the order of the levels and the safety of the patient?"""

from typing import Any

import numpy as np

from .finding import LESSONS, AuditFinding, Checked, Severity, called, signed
from .setting import Setting

SAID: dict[str, tuple[Severity, str]] = {
    "not_best": ("warning", "An exact answer is not strictly the best"),
    "farther_pays_more": ("note", "A larger error pays more than a smaller one in the same direction"),
    "under_triage_cheaper": ("note", "Under-triage is cheaper than over-triage by as many levels"),
}


def order(setting: Setting) -> Checked:
    """Exact strictly best; farther never pays more; under-triage never cheaper; no bonus outbids exactness."""
    n, table = setting.n, setting.table_only[:, : setting.n]
    gold, answer = np.indices((n, n))
    distance, nearer, over = abs(answer - gold), answer + np.sign(gold - answer), 2 * gold - answer
    down = {"first": 1, "last": -1, "neither": 0}[setting.design.urgent]
    under = ((answer - gold) * down > 0) & (over >= 0) & (over < n)
    broken = {
        "not_best": setting.wrong & (table >= 0),
        "farther_pays_more": (distance >= 2) & (table > table[gold, nearer]),
        "under_triage_cheaper": under & (table > table[gold, over.clip(0, n - 1)]),
    }
    # the least that an exact answer pays more than an adjacent one, in units of reward
    step, bonus = float(-(table * setting.units)[distance == 1].max()), setting.design.bonus("wrong", 0)
    measured: dict[str, Any] = {key: setting.cells(chosen) for key, chosen in broken.items()}
    measured["bonus_outbids_exactness"] = bonus > 0 and bonus >= step
    return Checked(measured, _findings(measured, step, bonus))


def _findings(measured: dict[str, Any], step: float, bonus: float) -> list[AuditFinding]:
    findings = [
        AuditFinding("order", severity, f"{sentence}: {called(measured[key])}.", {key: measured[key]}, LESSONS["order"])
        for key, (severity, sentence) in SAID.items()
        if measured[key]
    ]
    if measured["bonus_outbids_exactness"]:
        message = (
            f"The bonuses outbid exactness: a wrong answer can earn {signed(bonus)} for form, and the step from "
            f"adjacent to exact is worth {signed(step)}."
        )
        findings.append(AuditFinding("order", "warning", message, {"bonus": bonus, "step": step}, LESSONS["order"]))
    return findings
