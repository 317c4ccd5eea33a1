"""Check 3: abstention. When is it better not to answer?"""

from typing import Any

from .beliefs import abstention_margin
from .finding import LESSONS, AuditFinding, Checked, Severity, called, listed
from .setting import Setting, skill_needed


def abstention(setting: Setting) -> Checked:
    """Abstention against each wrong answer, their mean, the warm start's answers, and the best answer for a belief."""
    measured: dict[str, Any] = {}
    for suffix, rewards in (("", setting.with_bonuses), ("_without_bonuses", setting.table_only)):
        margin, belief = abstention_margin(rewards)
        silent = float(setting.training_prior @ rewards[:, -1])
        measured |= {
            f"margin_of_silence{suffix}": margin,
            f"closest_belief{suffix}": setting.by_action(belief),
            f"outranked{suffix}": setting.cells(setting.wrong & (rewards[:, :-1] < rewards[:, -1:])),
            f"answering_pays_above_skill{suffix}": skill_needed(silent, 0.0, setting.mean_error(rewards)),
        }
    measured["by_gold"] = {setting.action(gold): _row(setting, gold) for gold in range(setting.n)}
    return Checked(measured, [*_best_act(measured), *_outranks(setting, measured)])


def _row(setting: Setting, gold: int) -> dict[str, Any]:
    """One gold level, without bonuses: the mean wrong answer, the warm start's, the skill that answering needs."""
    row, silent = setting.table_only[gold, :-1], float(setting.table_only[gold, -1])
    wrong, answers = row[setting.wrong[gold]], setting.policy[gold, :-1]
    return {
        "abstention": silent,
        "worst_wrong": float(wrong.min()),
        "mean_wrong": float(wrong.mean()),
        "warm_start": float(answers @ row / answers.sum()) if answers.sum() > 0 else None,
        "answering_pays_above_skill": skill_needed(silent, float(row[gold]), float(wrong.mean())),
    }


def _best_act(measured: dict[str, Any]) -> list[AuditFinding]:
    cases: list[tuple[str, Severity, str]] = [
        ("", "warning", ""),
        ("_without_bonuses", "note", ", if no bonus is earned"),
    ]
    for suffix, severity, when in cases:
        margin, belief = measured[f"margin_of_silence{suffix}"], measured[f"closest_belief{suffix}"]
        if margin >= -1e-9:
            doubt = listed([f"{100 * p:.0f} % {name}" for name, p in belief.items() if p > 0.005], most=9)
            message = f"Abstention is the best action for a belief ({doubt}){when}: no answer beats it there."
            numbers = {"margin_of_silence": margin, "belief": belief}
            return [AuditFinding("silence", severity, message, numbers, LESSONS["silence"])]
    return []


def _outranks(setting: Setting, measured: dict[str, Any]) -> list[AuditFinding]:
    """The wrong answers below abstention; and what qualifies that, where it is the best action for no belief."""
    keys = ("outranked_without_bonuses", "outranked", "margin_of_silence_without_bonuses", "margin_of_silence")
    numbers = {key: measured[key] for key in keys}
    table, paid, table_margin, margin = numbers.values()
    if not (table or paid):
        return []
    for other in ("mean_wrong", "warm_start"):
        rows = {name: row for name, row in measured["by_gold"].items() if row[other] is not None}
        below = [name for name, row in rows.items() if row[other] < row["abstention"] - 1e-9]
        numbers[f"above_{other}_at"] = below
    counted, when = (table, "") if table else (paid, " with bonuses")
    message = f"Abstention outranks {len(counted)} of {setting.wrong.sum()} wrong answers{when} ({called(counted)})"
    if table and table != paid:
        message += f", {len(paid) or 'none'} once bonuses are earned"
    if max(margin, table_margin) < -1e-9:
        message += (
            f". Yet it is the best action for no belief: the best answer is ahead by at least {-table_margin:.2f} "
            f"({-margin:.2f} with bonuses), so the table alone gives no reason to opt out"
        )
    return [AuditFinding("silence", "note", f"{message}.", numbers, LESSONS["silence"])]
