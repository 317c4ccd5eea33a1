"""An audit for a person at a terminal: the verdict, the findings with their numbers, what policies earn."""

import textwrap
from typing import Any

from ..design import Outcome
from . import Audit
from .finding import SEVERITIES, Finding, percent, signed
from .setting import Setting

WIDTH = 100
TITLES = {
    "lazy": "lazy policies",
    "costless": "acts that cost nothing",
    "silence": "silence",
    "hedging": "hedging",
    "order": "order and safety",
    "groups": "what GRPO sees",
    "bonuses": "bonuses without merit",
    "drift": "drift from the class shares",
}


def as_text(audit: Audit) -> str:
    """The whole audit, at most `WIDTH` columns wide where names are short."""
    counts = [sum(finding.severity == severity for finding in audit.findings) for severity in reversed(SEVERITIES)]
    errors, warnings, notes = (
        f"{n} {word}{'' if n == 1 else 's'}" for n, word in zip(counts, reversed(SEVERITIES), strict=True)
    )
    verdict = f"{audit.design.name}: {audit.verdict.upper()} ({errors}, {warnings}, {notes})"
    parts = [verdict, _assumed(audit.setting), *map(_finding, audit.findings), _policies(audit), _always_told(audit)]
    return "\n\n".join(parts)


def _assumed(setting: Setting) -> str:
    """What the audit was told or assumed: without it no number below means anything."""
    design = setting.design
    exact = float(setting.prior @ setting.policy[:, : setting.n].diagonal())
    outcomes: tuple[Outcome, ...] = ("exact", "wrong", "silent")
    bonuses = _row({outcome: signed(design.bonus(outcome)) for outcome in outcomes})
    silent = float(setting.prior @ setting.policy[:, setting.n])
    rows = {
        "natural shares": _row({name: percent(share) for name, share in setting.by_act(setting.prior).items()}),
        "in training": _row({name: percent(share) for name, share in setting.by_act(setting.stream).items()}),
        "warm start": f"{percent(exact)} exact, {percent(silent)} without an answer",
        "GRPO": f"groups of {setting.group_size}",
        "bonuses": f"{bonuses} (in full format, {design.length_limit // 2} tokens long)",
    }
    return _aligned(rows, indent=0)


def _finding(finding: Finding) -> str:
    title = f"{finding.severity.upper():8} {TITLES[finding.check]}"
    rows = {key.replace("_", " "): text for key, value in finding.numbers.items() if (text := _number(value))}
    lines = [title, _wrapped(finding.message), _aligned(rows, indent=4), _wrapped(f"Lesson: {finding.lesson}")]
    return "\n".join(line for line in lines if line)


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
    lines = [f"{'What policies earn, with bonuses':34}{'natural':>10}{'training':>10}"]
    for name, natural in measured["natural"].items():
        policy = {"warm start": name, "oracle": name, "no answer": "never answering"}.get(name, f"always {name}")
        lines.append(f"  {policy:32}{signed(natural):>10}{signed(measured['training'][name]):>10}")
    return "\n".join(lines)


def _always_told(audit: Audit) -> str:
    """Three figures that matter whether or not they are a finding."""
    lazy, silence, groups = (audit.measured[check] for check in ("lazy", "silence", "groups"))
    skill, share = lazy["warm_start_wins_above_skill"], lazy["share_of_oracle"]
    best = "never answering" if lazy["best_lazy"] == "no answer" else f"always {lazy['best_lazy']}"
    margin, bare = silence["margin_of_silence"], silence["margin_of_silence_without_bonuses"]
    rows = {
        "best lazy policy": best
        + (f", {percent(share)} of the oracle's reward" if share is not None and share >= 0 else "")
        + ("; no skill beats it" if skill is None else f"; beaten from {percent(skill)} exact on"),
        "silence": f"the best answer leads by {signed(-margin)} or more in any doubt ({signed(-bare)} without bonuses)",
        "GRPO": f"{percent(groups['without_signal'])} of the groups have equal rewards and teach nothing",
    }
    return _aligned(rows, indent=0)


def _row(values: dict[str, str]) -> str:
    return "  ".join(f"{name} {value}" for name, value in values.items())


def _aligned(rows: dict[str, str], indent: int) -> str:
    width = max(map(len, rows), default=0) + 2
    return "\n".join(f"{' ' * indent}{name:{width}}{text}" for name, text in rows.items())


def _wrapped(sentence: str) -> str:
    return textwrap.fill(sentence, WIDTH, initial_indent="  ", subsequent_indent="  ")
