"""The audit of a reward design: exact arithmetic that says how it will be gamed, before it is trained.

Eight checks, each in a module of its own, look at the table as the trainer sees it, the shares of training and the
policy that training starts from. Nothing is sampled. Constant policies, abstention, hedging and prior shift are about
expected reward and exact for it; what GRPO sees is exact for its advantages at the warm start; where training goes
follows them. What the table does not hold (how many answers are cut, how long they are) is not predicted.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from ...errors import InputError
from ..design import Design
from ..policy import warm_start
from .abstention import abstention
from .advantages import group_advantages
from .bonuses import bonuses
from .collapse import collapse
from .constant_policies import constant_policies
from .finding import SEVERITIES, AuditFinding, Severity
from .hedging import hedging
from .order import order
from .prior_shift import prior_shift
from .setting import Scale, Setting

__all__ = ["Audit", "AuditFinding", "Severity", "audit"]

MOST_LEVELS = 16
CHECKS = {  # by the code that findings and JSON give them
    "lazy": constant_policies,
    "collapse": collapse,
    "silence": abstention,
    "hedging": hedging,
    "order": order,
    "groups": group_advantages,
    "bonuses": bonuses,
    "drift": prior_shift,
}


@dataclass(frozen=True, slots=True)
class Audit:
    """Findings with the worst first, and what every check measured, by the check's code."""

    setting: Setting
    findings: list[AuditFinding]
    measured: dict[str, dict[str, Any]]

    @property
    def design(self) -> Design:
        """What was audited."""
        return self.setting.design

    @property
    def verdict(self) -> Severity | Literal["clean"]:
        """The worst severity, or clean."""
        return self.findings[0].severity if self.findings else "clean"

    def reaches(self, severity: Severity) -> bool:
        """Whether a finding is as severe as that."""
        return any(SEVERITIES.index(finding.severity) >= SEVERITIES.index(severity) for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; numbers to six decimals."""
        return {
            "design": self.design.name,
            "verdict": self.verdict,
            "findings": [_rounded(asdict(finding)) for finding in self.findings],
            "measured": _rounded(self.measured),
            "prior": _rounded(self.setting.prior.tolist()),
            "policy": _rounded(self.setting.policy.tolist()),
        }


def audit(
    design: Design,
    prior: np.ndarray,
    policy: np.ndarray | None = None,
    group_size: int = 8,
    scale: Scale = "group",
) -> Audit:
    """Audit a design. What changes no advantage changes nothing here (see `setting`).

    `prior` (n,): shares of the levels in deployment; `policy` (n, n + 1): P(answer | gold) before training, abstention
    last, by default `warm_start(prior)`; `group_size`: answers that GRPO compares; `scale`: TRL's `scale_rewards`.
    InputError where shapes do not fit.
    """
    n = len(design.table)
    policy = warm_start(prior) if policy is None else policy
    if prior.shape != (n,) or policy.shape != (n, n + 1):
        raise InputError(f"{design.name}: a table of {n} levels needs {n} shares and a confusion of {n}×{n + 1}.")
    if n > MOST_LEVELS:
        raise InputError(
            f"{design.name}: {n} levels. An audit goes through every doubt between two levels, and its time grows with "
            f"the fourth power of their number; at most {MOST_LEVELS}, which take some seconds."
        )
    if group_size < 2:
        raise InputError(f"--group-size {group_size}: a group has at least 2 answers.")
    setting = Setting(design, prior, policy, group_size, scale)
    checked = {code: check(setting) for code, check in CHECKS.items()}
    findings = [finding for found in checked.values() for finding in found.findings]
    findings.sort(key=lambda finding: -SEVERITIES.index(finding.severity))
    return Audit(setting, findings, {code: found.measured for code, found in checked.items()})


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6) + 0.0
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, (list, tuple)) else value
