"""Check 1: what constant policies earn, which do not look at the case."""

import numpy as np

from .finding import AuditFinding, Checked, signed
from .setting import Setting, skill_needed

LESSON = "v45c: with ×20 oversampling, ESI-1 to everything paid more than any other constant, and training found it."


def constant_policies(setting: Setting) -> Checked:
    """Every constant and abstention against the warm start, less the exact answer, before and after oversampling."""
    training = setting.training_prior
    deployed, trained = setting.prior @ setting.with_bonuses, training @ setting.with_bonuses
    start = [_mean(setting, shares) for shares in (setting.prior, training)]
    best, best_before = int(trained.argmax()), int(deployed.argmax())
    numbers = {
        "best_lazy": setting.action(best),
        "best_lazy_reward": float(trained[best]),
        "warm_start_reward": start[1],
        "warm_start_wins_above_skill": skill_needed(
            float(trained[best]), 0.0, setting.mean_error(setting.with_bonuses)
        ),
    }
    measured = {
        **numbers,
        "natural": {**setting.by_action(deployed), "warm start": start[0]},
        "training": {**setting.by_action(trained), "warm start": start[1]},
    }
    return Checked(measured, [*_optimal(numbers), *_moved(setting, best_before, best, trained)])


def _mean(setting: Setting, shares: np.ndarray) -> float:
    return float(shares @ (setting.policy * setting.with_bonuses).sum(axis=1))


def _optimal(numbers: dict) -> list[AuditFinding]:
    if numbers["best_lazy_reward"] < numbers["warm_start_reward"] - 1e-9:
        return []
    policy = (
        "Abstaining from all" if numbers["best_lazy"] == "no answer" else f"Answering {numbers['best_lazy']} to all"
    )
    earns, start = signed(numbers["best_lazy_reward"]), signed(numbers["warm_start_reward"])
    message = f"{policy} earns no less in training than the warm start ({earns} and {start} beside exact answers)."
    return [AuditFinding("lazy", "warning", message, numbers, LESSON)]


def _moved(setting: Setting, before: int, after: int, trained: np.ndarray) -> list[AuditFinding]:
    if before == after:
        return []
    message = (
        f"Oversampling moves the best constant policy from {setting.action(before)} to {setting.action(after)} "
        f"({signed(trained[after])} against {signed(trained[before])} in training, beside exact answers)."
    )
    numbers = {"before": setting.action(before), "after": setting.action(after)}
    return [AuditFinding("lazy", "note", message, numbers, LESSON)]
