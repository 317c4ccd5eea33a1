"""Check 1: what constant policies earn, which do not look at the case."""

from .finding import LESSONS, AuditFinding, Checked, signed
from .setting import Setting, skill_needed


def constant_policies(setting: Setting) -> Checked:
    """Every constant and abstention against the warm start, less the exact answer, before and after oversampling."""
    rewards = setting.with_bonuses
    start = (setting.policy * rewards).sum(axis=1)
    natural, training = (
        setting.by_action(shares @ rewards) | {"warm start": float(shares @ start)}
        for shares in (setting.prior, setting.training_prior)
    )
    before, best = (max(list(earned)[:-1], key=earned.__getitem__) for earned in (natural, training))
    numbers = {
        "best_lazy": best,
        "best_lazy_reward": training[best],
        "warm_start_reward": training["warm start"],
        "warm_start_wins_above_skill": skill_needed(training[best], 0.0, setting.mean_error(rewards)),
    }
    findings = []
    if training[best] >= training["warm start"] - 1e-9:
        policy = "Abstaining from all" if best == "no answer" else f"Answering {best} to all"
        pay = f"{signed(training[best])} and {signed(training['warm start'])}"
        message = f"{policy} earns no less in training than the warm start ({pay} beside exact answers)."
        findings.append(AuditFinding("lazy", "warning", message, numbers, LESSONS["lazy"]))
    if before != best:
        pay = f"{signed(training[best])} against {signed(training[before])} in training, beside exact answers"
        message = f"Oversampling moves the best constant policy from {before} to {best} ({pay})."
        moved = {"before": before, "after": best}
        findings.append(AuditFinding("lazy", "note", message, moved, LESSONS["lazy"]))
    return Checked({**numbers, "natural": natural, "training": training}, findings)
