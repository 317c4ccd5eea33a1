"""The audit of a reward design: exact arithmetic that says how it will be gamed, before it is trained.

Eight checks, each in a module of its own, look at the table, the shares of training and the policy that training starts
from. Nothing is sampled. What the table does not hold (how many answers are cut, how long they are) is not predicted.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from ...errors import InputError
from ..design import Design
from ..policy import warm_start
from .bonuses import bonuses
from .costless import costless
from .drift import drift
from .finding import SEVERITIES, Finding, Severity
from .groups import groups
from .hedging import hedging
from .lazy import lazy
from .order import order
from .setting import Setting
from .silence import silence

__all__ = ["Audit", "Finding", "Severity", "audit"]

CHECKS = (lazy, costless, silence, hedging, order, groups, bonuses, drift)


@dataclass(frozen=True, slots=True)
class Audit:
    """Findings with the worst first, and what every check measured, by the check's name."""

    setting: Setting
    findings: list[Finding]
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


def audit(design: Design, prior: np.ndarray, policy: np.ndarray | None = None, group_size: int = 8) -> Audit:
    """Audit a design.

    `prior` (n,): natural shares of the levels; `policy` (n, n + 1): P(answer | gold) of the warm start, silence last,
    by default `warm_start(prior)`; `group_size`: answers that GRPO compares. Raises InputError where shapes do not fit.
    """
    n = len(design.table)
    policy = warm_start(prior) if policy is None else policy
    if prior.shape != (n,) or policy.shape != (n, n + 1):
        raise InputError(f"{design.name}: a table of {n} levels needs {n} shares and a confusion of {n}×{n + 1}.")
    if group_size < 2:
        raise InputError(f"--group-size {group_size}: a group has at least 2 answers.")
    setting = Setting(design, prior, policy, group_size)
    checked = {check.__name__: check(setting) for check in CHECKS}
    findings = [finding for found in checked.values() for finding in found.findings]
    findings.sort(key=lambda finding: -SEVERITIES.index(finding.severity))
    return Audit(setting, findings, {name: found.measured for name, found in checked.items()})


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6) + 0.0
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, (list, tuple)) else value
