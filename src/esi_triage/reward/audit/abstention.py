"""Check 3: abstention. When is it better not to answer?"""

import numpy as np

from .abstention_margin import abstention_margin
from .finding import AuditFinding, Checked, Severity, listed
from .setting import Setting, skill_needed

LESSON = (
    "v48: a quarter of its answers had no level, and the card blames a table in which abstention outranks a large "
    "error. That alone is no reason to opt out: abstention has to be the best action for some belief. Where it never "
    "is, look at answers cut at the token limit: they score as no answer, and a group of them carries no signal."
)


def abstention(setting: Setting) -> Checked:
    """Abstention against each wrong answer, their mean, the warm start's answers, and the best answer for a belief."""
    table_margin, table_belief = abstention_margin(setting.table_only)
    margin, belief = abstention_margin(setting.with_bonuses)
    outranked = setting.wrong & (setting.table_only[:, :-1] < setting.table_only[:, -1:])
    outranked_paid = setting.wrong & (setting.with_bonuses[:, :-1] < setting.with_bonuses[:, -1:])
    measured = {
        "margin_of_silence": margin,
        "margin_of_silence_without_bonuses": table_margin,
        "closest_belief": setting.by_action(belief),
        "closest_belief_without_bonuses": setting.by_action(table_belief),
        "outranked": _cells(setting, outranked_paid),
        "outranked_without_bonuses": _cells(setting, outranked),
        "answering_pays_above_skill": _threshold(setting, setting.with_bonuses),
        "answering_pays_above_skill_without_bonuses": _threshold(setting, setting.table_only),
        "by_gold": {setting.action(gold): _row(setting, gold) for gold in range(setting.n)},
    }
    return Checked(measured, [*_best_act(measured), *_outranks(setting, outranked, outranked_paid, measured)])


def _threshold(setting: Setting, rewards: np.ndarray) -> float | None:
    """The share of exact answers above which answering pays in training; None where it never does."""
    return skill_needed(float(setting.training_prior @ rewards[:, -1]), 0.0, setting.mean_error(rewards))


def _row(setting: Setting, gold: int) -> dict:
    """One gold level, without bonuses: the mean wrong answer, the warm start's, the skill that answering needs."""
    row, n = setting.table_only[gold], setting.n
    mean_wrong = float(row[:n][setting.wrong[gold]].mean())
    answers = setting.policy[gold, :n]
    expected = float(answers @ row[:n] / answers.sum()) if answers.sum() > 0 else None
    return {
        "abstention": float(row[n]),
        "worst_wrong": float(row[:n][setting.wrong[gold]].min()),
        "mean_wrong": mean_wrong,
        "warm_start": expected,
        "answering_pays_above_skill": skill_needed(float(row[n]), float(row[gold]), mean_wrong),
    }


def _cells(setting: Setting, chosen: np.ndarray) -> list[list[str]]:
    return [[setting.action(gold), setting.action(answer)] for gold, answer in np.argwhere(chosen)]


def _best_act(measured: dict) -> list[AuditFinding]:
    cases: list[tuple[str, Severity, str]] = [
        ("", "warning", ""),
        ("_without_bonuses", "note", ", if no bonus is earned"),
    ]
    for suffix, severity, when in cases:
        margin = measured[f"margin_of_silence{suffix}"]
        if margin >= -1e-9:
            belief = measured[f"closest_belief{suffix}"]
            doubt = listed([f"{100 * p:.0f} % {name}" for name, p in belief.items() if p > 0.005], most=9)
            message = f"Abstention is the best action for a belief ({doubt}){when}: no answer beats it there."
            numbers = {"margin_of_silence": margin, "belief": belief}
            return [AuditFinding("silence", severity, message, numbers, LESSON)]
    return []


def _outranks(setting: Setting, table: np.ndarray, paid: np.ndarray, measured: dict) -> list[AuditFinding]:
    """`table` and `paid` (n, n) bool: the wrong answers below abstention, by the table only and with bonuses."""
    if not (table.any() or paid.any()):
        return []
    keys = ("outranked_without_bonuses", "outranked", "margin_of_silence_without_bonuses", "margin_of_silence")
    numbers = {key: measured[key] for key in keys}
    for other in ("mean_wrong", "warm_start"):
        rows = measured["by_gold"]
        pay = {name: row[other] for name, row in rows.items() if row[other] is not None}
        numbers[f"above_{other}_at"] = [name for name, value in pay.items() if value < rows[name]["abstention"] - 1e-9]
    message = _outranked_in_words(setting, table, paid) + _yet(measured) + "."
    return [AuditFinding("silence", "note", message, numbers, LESSON)]


def _outranked_in_words(setting: Setting, table: np.ndarray, paid: np.ndarray) -> str:
    counted, when = (table, "") if table.any() else (paid, " with bonuses")
    cells = [f"{setting.action(gold)} called {setting.action(answer)}" for gold, answer in np.argwhere(counted)]
    share = f"{len(cells)} of {setting.wrong.sum()} wrong answers{when} ({listed(cells)})"
    once = f", {paid.sum() or 'none'} once bonuses are earned" if table.any() and (table != paid).any() else ""
    return f"Abstention outranks {share}{once}"


def _yet(measured: dict) -> str:
    """What qualifies that, where abstention is the best action for no belief."""
    margin, table_margin = (measured[f"margin_of_silence{suffix}"] for suffix in ("", "_without_bonuses"))
    if max(margin, table_margin) >= -1e-9:
        return ""
    return (
        f". Yet it is the best action for no belief: the best answer is ahead by at least {-table_margin:.2f} "
        f"({-margin:.2f} with bonuses), so the table alone gives no reason to opt out"
    )
