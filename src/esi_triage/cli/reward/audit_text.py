"""An audit for a person at a terminal: the verdict, the findings with their numbers, what policies earn."""

import textwrap
from typing import Any

from ...reward import Audit
from ...reward.audit.finding import SEVERITIES, TITLES, AuditFinding, short_percent, signed
from ...reward.audit.setting import Setting
from ...reward.design import Outcome

WIDTH = 100
SHOWN = {  # words of JSON keys that are others on the screen
    "lazy": "constant_policy",
    "silence": "abstention",
    "natural": "in_deployment",
    "unsampled": "without_class_factors",
}
SCALES = {"group": "scaled by their spread; 1 is the spread of a row at the warm start", "none": "not scaled"}
REINFORCED = "(of the wrong answers to cases of each level, those with a positive advantage in their group)"


def audit_as_text(audit: Audit) -> str:
    """The whole audit, at most `WIDTH` columns wide where names are short."""
    counts = [sum(finding.severity == severity for finding in audit.findings) for severity in reversed(SEVERITIES)]
    errors, warnings, notes = (
        f"{n} {word}{'' if n == 1 else 's'}" for n, word in zip(counts, reversed(SEVERITIES), strict=True)
    )
    verdict = f"{audit.design.name}: {audit.verdict.upper()} ({errors}, {warnings}, {notes})"
    parts = [verdict, _assumed(audit.setting), *map(_finding, audit.findings), _policies(audit), _always_shown(audit)]
    return "\n\n".join(parts)


def _assumed(setting: Setting) -> str:
    """What the audit was told or assumed: without it no number below means anything."""
    design = setting.design
    exact = float(setting.prior @ setting.policy[:, : setting.n].diagonal())
    outcomes: tuple[Outcome, ...] = ("exact", "wrong", "no answer")
    bonuses = _row({outcome: signed(design.bonus(outcome)) for outcome in outcomes})
    abstained = float(setting.prior @ setting.policy[:, setting.n])
    rows = {
        "in deployment": _row({name: short_percent(share) for name, share in setting.by_action(setting.prior).items()}),
        "in training": _row(
            {name: short_percent(share) for name, share in setting.by_action(setting.training_prior).items()}
        ),
        "warm start": f"{short_percent(exact)} exact, {short_percent(abstained)} without an answer",
        "GRPO": f"groups of {setting.group_size}, {SCALES[setting.scale]}",
        "bonuses": f"{bonuses} (in full format, {design.length_limit // 2} tokens long)",
    }
    return _aligned(rows, indent=0)


def _finding(finding: AuditFinding) -> str:
    title = f"{finding.severity.upper():8} {TITLES[finding.check]}"
    rows = {_label(key): text for key, value in finding.numbers.items() if (text := _number(value))}
    lines = [title, _wrapped(finding.message), _aligned(rows, indent=4), _wrapped(f"Lesson: {finding.lesson}")]
    return "\n".join(line for line in lines if line)


def _label(key: str) -> str:
    """The name of a measure on the screen; the JSON keeps that of its first version."""
    for old, new in SHOWN.items():
        key = key.replace(old, new)
    return key.replace("_", " ")


def _number(value: Any) -> str:
    """A number or a few named ones; lists of cells are in the message and in the JSON."""
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int | float):
        return str(value) if isinstance(value, int) else f"{value:.3f}"
    if isinstance(value, dict) and all(isinstance(item, int | float | None) for item in value.values()):
        return _row({name: "∞" if item is None else f"{item:.2f}" for name, item in value.items()})
    return ""


def _policies(audit: Audit) -> str:
    measured = audit.measured["lazy"]
    lines = [f"{'What policies earn, less exactness':36}{'deployment':>12}{'training':>10}"]
    for name, deployed in measured["natural"].items():
        policy = {"warm start": name, "no answer": "abstaining from all"}.get(name, f"always {name}")
        lines.append(f"  {policy:34}{signed(deployed):>12}{signed(measured['training'][name]):>10}")
    return "\n".join(lines)


def _always_shown(audit: Audit) -> str:
    """Figures that matter whether or not they are a finding."""
    constant, abstention, groups, course = (audit.measured[c] for c in ("lazy", "silence", "groups", "collapse"))
    skill = constant["warm_start_wins_above_skill"]
    best = "abstaining from all" if constant["best_lazy"] == "no answer" else f"always {constant['best_lazy']}"
    margin, table_margin = abstention["margin_of_silence"], abstention["margin_of_silence_without_bonuses"]
    after = _row({name: short_percent(share) for name, share in course["shares_after"].items()})
    start, end = groups["wrong_positive"], course["wrong_positive_after"]
    rows = {
        "best constant policy": best
        + ("; no skill beats it" if skill is None else f"; beaten from {short_percent(skill)} exact on"),
        "abstention": f"the best answer leads by {signed(-margin)} or more in any doubt "
        f"({signed(-table_margin)} without bonuses)",
        "GRPO": f"{short_percent(groups['without_signal'])} of the groups have equal rewards and teach nothing",
        f"{course['prompts']} prompts later": after,
        "wrong and yet reinforced": _row({name: short_percent(share) for name, share in start.items()}),
        "  after training": _row({name: short_percent(share) for name, share in end.items()}),
    }
    return "\n".join([_aligned(rows, indent=0), REINFORCED])


def _row(values: dict[str, str]) -> str:
    return "  ".join(f"{name} {value}" for name, value in values.items())


def _aligned(rows: dict[str, str], indent: int) -> str:
    width = max(map(len, rows), default=0) + 2
    return "\n".join(f"{' ' * indent}{name:{width}}{text}" for name, text in rows.items())


def _wrapped(sentence: str) -> str:
    return textwrap.fill(sentence, WIDTH, initial_indent="  ", subsequent_indent="  ")
