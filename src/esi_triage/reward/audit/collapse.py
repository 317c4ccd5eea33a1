"""Check 2: where training goes. GRPO's mean update, followed from the warm start to the end of training.

An action becomes the answer to everything when its advantage is not negative where it is wrong, at the policy that
would take it. Followed step by step, the policy says whether it is.
"""

from typing import Any

import numpy as np

from ..simulate.expected_course import PROMPTS, expected_course
from ..simulate.training_course import SILENT, over_given
from .advantages import positive_when_wrong
from .finding import LESSONS, AuditFinding, Checked, short_percent
from .setting import Setting

LOST = 0.01  # exactness that training costs


def collapse(setting: Setting) -> Checked:
    """Shares of the answers in deployment before and after; an error where one level takes over, or no answer."""
    before, after = _followed(setting, setting.training_prior)
    drawn_alike = np.allclose(setting.training_prior, setting.prior)
    untouched = after if drawn_alike else _followed(setting, setting.prior)[1]
    taken = _taken(setting, after)
    measured = {
        "prompts": PROMPTS,
        "shares_before": setting.by_action(setting.prior @ before),
        "shares_after": setting.by_action(setting.prior @ after),
        "shares_after_unsampled": setting.by_action(setting.prior @ untouched),
        "exact_before": float(setting.prior @ before[:, :-1].diagonal()),
        "exact_after": float(setting.prior @ after[:, :-1].diagonal()),
        "policy_after": [setting.by_action(row) for row in after],
        "wrong_positive_after": positive_when_wrong(setting, after),
        "taken_over_by": next(iter(taken), ""),
        "by_class_factors": bool(taken) and taken[0] not in _taken(setting, untouched),
    }
    return Checked(measured, _findings(setting, measured))


def _followed(setting: Setting, training: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    by_spread = setting.scale == "group"
    return expected_course(setting.with_bonuses, setting.prior, training, setting.policy, setting.group_size, by_spread)


def _taken(setting: Setting, policy: np.ndarray) -> list[str]:
    """The actions that take over under P(answer | gold) (n, n + 1), abstention first."""
    shares = setting.prior @ policy
    levels = [setting.action(level) for level in np.flatnonzero(over_given(shares[:-1], setting.prior)).tolist()]
    return ["no answer", *levels] if shares[-1] >= SILENT else levels


def _findings(setting: Setting, measured: dict[str, Any]) -> list[AuditFinding]:
    name, before, after = measured["taken_over_by"], measured["exact_before"], measured["exact_after"]
    numbers = {key: measured[key] for key in ("shares_after", "shares_after_unsampled", "exact_before", "exact_after")}
    if not name:
        if after >= before - LOST:
            return []
        message = (
            f"Followed for {PROMPTS} prompts, GRPO makes the policy less exact: {short_percent(before)} to "
            f"{short_percent(after)} of the cases in deployment."
        )
        return [AuditFinding("collapse", "warning", message, numbers, LESSONS["collapse"])]
    given = short_percent(measured["shares_after"][name])
    if name == "no answer":
        message = f"Followed for {PROMPTS} prompts, GRPO leaves {given} of the cases in deployment without an answer."
    else:
        occurs = short_percent(setting.by_action(setting.prior)[name])
        message = f"Followed for {PROMPTS} prompts, GRPO gives {name} to {given} of the cases in deployment; {occurs} "
        message += "have it."
    unsampled = short_percent(measured["shares_after_unsampled"][name])
    if measured["by_class_factors"]:
        message += f" The class factors are the cause: drawn as they occur, it is {unsampled}."
    else:
        message += " The table is the cause: it happens too where cases are drawn as they occur."
    check = "silence" if name == "no answer" else "collapse"
    return [AuditFinding(check, "error", message, numbers, LESSONS["collapse"])]
