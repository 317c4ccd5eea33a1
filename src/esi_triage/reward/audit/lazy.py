"""Check 1: what policies earn that do not look at the case."""

import numpy as np

from .finding import Checked, Finding, signed
from .setting import Setting, skill_needed

LESSON = "v45c: with ×20 oversampling, ESI-1 to everything paid more than any other constant, and training found it."


def lazy(setting: Setting) -> Checked:
    """Every constant and silence against the warm start and the oracle, before and after oversampling."""
    n, stream = setting.n, setting.stream
    on_prior, on_stream = setting.prior @ setting.earned, stream @ setting.earned
    start = [_mean(setting, shares) for shares in (setting.prior, stream)]
    oracle = [float(shares @ setting.earned[:, :n].diagonal()) for shares in (setting.prior, stream)]
    best, best_before = int(on_stream.argmax()), int(on_prior.argmax())
    numbers = {
        "best_lazy": setting.act(best),
        "best_lazy_reward": float(on_stream[best]),
        "warm_start_reward": start[1],
        "oracle_reward": oracle[1],
        "share_of_oracle": float(on_stream[best] / oracle[1]) if oracle[1] > 0 else None,
        "warm_start_wins_above_skill": skill_needed(float(on_stream[best]), *setting.answering(setting.earned)),
    }
    measured = {
        **numbers,
        "natural": {**setting.by_act(on_prior), "warm start": start[0], "oracle": oracle[0]},
        "training": {**setting.by_act(on_stream), "warm start": start[1], "oracle": oracle[1]},
        "training_without_bonuses": setting.by_act(stream @ setting.bare),
    }
    return Checked(measured, [*_optimal(setting, numbers), *_moved(setting, best_before, best, on_stream)])


def _mean(setting: Setting, shares: np.ndarray) -> float:
    return float(shares @ (setting.policy * setting.earned).sum(axis=1))


def _optimal(setting: Setting, numbers: dict) -> list[Finding]:
    if numbers["best_lazy_reward"] < numbers["warm_start_reward"] - 1e-9:
        return []
    policy = "Never answering" if numbers["best_lazy"] == "no answer" else f"Answering {numbers['best_lazy']} to all"
    earns, start = signed(numbers["best_lazy_reward"]), signed(numbers["warm_start_reward"])
    message = f"{policy} earns {earns} on the training stream, no less than the warm start ({start})."
    return [Finding("lazy", "error", message, numbers, LESSON)]


def _moved(setting: Setting, before: int, after: int, on_stream: np.ndarray) -> list[Finding]:
    if before == after:
        return []
    message = (
        f"Oversampling moves the best lazy policy from {setting.act(before)} to {setting.act(after)} "
        f"({signed(on_stream[after])} against {signed(on_stream[before])} on the training stream)."
    )
    return [Finding("lazy", "note", message, {"before": setting.act(before), "after": setting.act(after)}, LESSON)]
