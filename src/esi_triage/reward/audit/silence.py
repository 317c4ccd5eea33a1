"""Check 3: when is it better not to answer?"""

import numpy as np

from .finding import Checked, Finding, Severity, listed, signed
from .game import silence_margin
from .setting import Setting, skill_needed

LESSON = (
    "v48: a quarter of its answers had no level, and the card blames a table in which silence outranks a large miss. "
    "That alone is no reason to opt out: silence has to be the best act for some belief. Where it never is, look at "
    "answers cut at the token limit: they score as silence, and a group of them carries no signal."
)


def silence(setting: Setting) -> Checked:
    """Silence against each wrong answer, the mean one, the warm start's answers, and the best answer for any belief."""
    bare_margin, bare_belief = silence_margin(setting.bare)
    margin, belief = silence_margin(setting.earned)
    outranked = setting.wrong & (setting.bare[:, :-1] < setting.bare[:, -1:])
    outranked_paid = setting.wrong & (setting.earned[:, :-1] < setting.earned[:, -1:])
    measured = {
        "margin_of_silence": margin,
        "margin_of_silence_without_bonuses": bare_margin,
        "closest_belief": setting.by_act(belief),
        "closest_belief_without_bonuses": setting.by_act(bare_belief),
        "outranked": _cells(setting, outranked_paid),
        "outranked_without_bonuses": _cells(setting, outranked),
        "answering_pays_above_skill": _threshold(setting, setting.earned),
        "answering_pays_above_skill_without_bonuses": _threshold(setting, setting.bare),
        "by_gold": {setting.act(gold): _row(setting, gold) for gold in range(setting.n)},
    }
    return Checked(measured, [*_best_act(measured), *_outranks(setting, outranked, outranked_paid, measured)])


def _threshold(setting: Setting, rewards: np.ndarray) -> float | None:
    """The share of exact answers above which answering pays on the training stream; None where it never does."""
    return skill_needed(float(setting.stream @ rewards[:, -1]), *setting.answering(rewards))


def _row(setting: Setting, gold: int) -> dict:
    """One gold level, without bonuses: the mean wrong answer, the warm start's, the skill that answering needs."""
    row, n = setting.bare[gold], setting.n
    mean_wrong = float(row[:n][setting.wrong[gold]].mean())
    answers = setting.policy[gold, :n]
    expected = float(answers @ row[:n] / answers.sum()) if answers.sum() > 0 else None
    return {
        "worst_wrong": float(row[:n][setting.wrong[gold]].min()),
        "mean_wrong": mean_wrong,
        "warm_start": expected,
        "answering_pays_above_skill": skill_needed(float(row[n]), float(row[gold]), mean_wrong),
    }


def _cells(setting: Setting, chosen: np.ndarray) -> list[list[str]]:
    return [[setting.act(gold), setting.act(answer)] for gold, answer in np.argwhere(chosen)]


def _best_act(measured: dict) -> list[Finding]:
    cases: list[tuple[str, Severity, str]] = [
        ("", "error", ""),
        ("_without_bonuses", "warning", ", if no bonus is earned"),
    ]
    for suffix, severity, when in cases:
        margin = measured[f"margin_of_silence{suffix}"]
        if margin >= -1e-9:
            belief = measured[f"closest_belief{suffix}"]
            doubt = listed([f"{100 * p:.0f} % {name}" for name, p in belief.items() if p > 0.005], most=9)
            message = f"Silence is the best act for a belief ({doubt}){when}: no answer beats it there."
            numbers = {"margin_of_silence": margin, "belief": belief}
            return [Finding("silence", severity, message, numbers, LESSON)]
    return []


def _outranks(setting: Setting, bare: np.ndarray, paid: np.ndarray, measured: dict) -> list[Finding]:
    """`bare` and `paid` (n, n) bool: the wrong answers below silence, without and with the bonuses."""
    if not (bare.any() or paid.any()):
        return []
    keys = ("outranked_without_bonuses", "outranked", "margin_of_silence_without_bonuses", "margin_of_silence")
    numbers = {key: measured[key] for key in keys}
    for other in ("mean_wrong", "warm_start"):
        pay = {name: row[other] for name, row in measured["by_gold"].items() if row[other] is not None}
        numbers[f"above_{other}_at"] = [name for name, value in pay.items() if value < setting.design.no_parse]
    message = _outranked_in_words(setting, bare, paid) + _yet(measured) + "."
    return [Finding("silence", "warning", message, numbers, LESSON)]


def _outranked_in_words(setting: Setting, bare: np.ndarray, paid: np.ndarray) -> str:
    counted, when = (bare, "") if bare.any() else (paid, " with bonuses")
    cells = [f"{setting.act(gold)} called {setting.act(answer)}" for gold, answer in np.argwhere(counted)]
    share = f"{len(cells)} of {setting.wrong.sum()} wrong answers{when} ({listed(cells)})"
    once = f", {paid.sum() or 'none'} once bonuses are earned" if bare.any() and (bare != paid).any() else ""
    return f"Silence ({signed(setting.design.no_parse)}) outranks {share}{once}"


def _yet(measured: dict) -> str:
    """The other half of the truth, where silence is the best act for no belief."""
    margin, bare = (measured[f"margin_of_silence{suffix}"] for suffix in ("", "_without_bonuses"))
    if max(margin, bare) >= -1e-9:
        return ""
    return (
        f". Yet it is the best act for no belief: the best answer is ahead by at least {-bare:.2f} ({-margin:.2f} with "
        "bonuses), so the table alone gives no reason to opt out"
    )
