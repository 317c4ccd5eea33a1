"""Designs side by side: in words, as JSON, and as one page that opens offline."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..page import write_page
from .audit import Audit
from .audit.finding import SEVERITIES, TITLES, short_percent, signed
from .simulate import CAVEAT, Course, Regime, simulate

ROOM = "esi_triage.reward"
RECORDS = 50  # points of a curve


def severities(audits: Sequence[Audit]) -> dict[str, list[str]]:
    """For each check, by its title: the worst severity for each design, or a dash.

    InputError where designs differ in size: they have nothing to hold side by side.
    """
    first, *others = audits
    for other in others:
        if other.setting.n != first.setting.n:
            raise InputError(
                f"{other.design.name} has {other.setting.n} levels, {first.design.name} has {first.setting.n}; compare "
                "designs with as many levels."
            )
    return {title: [_worst(audit, check) for audit in audits] for check, title in TITLES.items()}


def _worst(audit: Audit, check: str) -> str:
    found = [finding.severity for finding in audit.findings if finding.check == check]
    return max(found, key=SEVERITIES.index) if found else "–"


def figures(audits: Sequence[Audit]) -> dict[str, list[str]]:
    """What to hold side by side of designs, in words: by its name, of each design."""
    measured = [_figures(audit) for audit in audits]
    return {name: [each[name] for each in measured] for name in measured[0]}


def _figures(audit: Audit) -> dict[str, str]:
    constant, course, abstention, groups, shift = (
        audit.measured[check] for check in ("lazy", "collapse", "silence", "groups", "drift")
    )
    after, deployed = course["shares_after"], audit.setting.by_action(audit.setting.prior)
    best, grown = constant["best_lazy"], max(deployed, key=lambda name: after[name] - deployed[name])
    reinforced = {f"wrong and yet reinforced, {name}": short_percent(s) for name, s in groups["wrong_positive"].items()}
    rates = {name: "∞" if rate is None else f"{rate:.2f}" for name, rate in shift["exchange_rates"].items()}
    return {
        "best constant policy": "abstaining" if best == "no answer" else f"always {best}",
        "exact after training, expected": short_percent(course["exact_after"]),
        "most over-given after training": f"{grown} {short_percent(deployed[grown])} to {short_percent(after[grown])}",
        "wrong answers below abstention": str(len(abstention["outranked_without_bonuses"])),
        "  the same with bonuses": str(len(abstention["outranked"])),
        "best answer ahead of abstention by": signed(-abstention["margin_of_silence_without_bonuses"]),
        "groups without signal": short_percent(groups["without_signal"]),
        **reinforced,
        **{f"false alarms a miss weighs in training, {name}": rate for name, rate in rates.items()},
    }


def comparison_as_text(audits: Sequence[Audit]) -> str:
    """Verdicts, findings by check, figures and tables."""
    rows = {"": [audit.design.name for audit in audits], "verdict": [audit.verdict.upper() for audit in audits]}
    rows |= severities(audits) | figures(audits)
    widths = [max(map(len, column)) + 2 for column in zip(*rows.values(), strict=True)]
    label = max(map(len, rows)) + 2
    lines = [f"{name:{label}}" + "".join(f"{cell:>{w}}" for cell, w in zip(cells, widths, strict=True))
             for name, cells in rows.items()]  # fmt: skip
    return "\n".join([*lines, *(f"\n{_table_in_words(audit)}" for audit in audits)])


def _table_in_words(audit: Audit) -> str:
    """The table of a design, abstention last."""
    setting = audit.setting
    names = [setting.action(action) for action in range(setting.n)]
    width = max(7, *(len(name) + 2 for name in names))
    head = f"{setting.design.name:16}" + "".join(f"{name:>{width}}" for name in [*names, "none"])
    rows = [f"  {name:14}" + "".join(f"{signed(cell):>{width}}" for cell in row)
            for name, row in zip(names, setting.design.rewards, strict=True)]  # fmt: skip
    return "\n".join([head, *rows])


def comparison_as_json(audits: Sequence[Audit]) -> dict[str, Any]:
    """Each audit with its table, and the findings by check."""
    designs = [audit.to_dict() | {"table": audit.design.table, "no_parse": audit.design.no_parse} for audit in audits]
    return {"designs": designs, "findings_by_check": severities(audits)}


def write_html(audits: Sequence[Audit], file: Path, steps: int = 750, seeds: int = 20) -> None:
    """One page with findings, heat maps, the map of beliefs, and curves of a simulation of `steps` steps."""
    write_page(
        ROOM,
        "designs.html",
        file,
        names=[audit.design.name for audit in audits],
        audits=audits,
        severities=severities(audits),
        measured=figures(audits),
        drawn=_drawn(audits, _courses(audits, steps, seeds)),
        titles=TITLES,
        caveat=CAVEAT,
        steps=steps,
        seeds=seeds,
    )


def _courses(audits: Sequence[Audit], steps: int, seeds: int) -> list[Course]:
    """None where the warm start is no better than drawing blindly, or perfect: the simulation has no such readings."""
    setting = audits[0].setting
    answers = setting.prior @ setting.policy
    skill = float(setting.prior @ setting.policy[:, : setting.n].diagonal()) / (1 - answers[-1])
    if not (setting.prior**2).sum() < skill < 1:
        return []
    arms = [(audit.design, Regime(skill=skill, shared=0.5, cut=float(answers[-1]))) for audit in audits]
    return simulate(arms, setting.prior, steps, seeds, every=max(1, steps // RECORDS))


def _drawn(audits: Sequence[Audit], courses: Sequence[Course]) -> list[dict[str, Any]]:
    """The figures of each design as PNG bytes; the same colours mean the same numbers in all."""
    from .design_figures import advantage_figure, advantages, course_figure, pairs_figure, table_figure

    most = max(float(np.abs(audit.design.rewards).max()) for audit in audits) or 1.0
    steepest = max(float(np.abs(advantages(audit)).max()) for audit in audits) or 1.0
    return [
        {
            "table": table_figure(audit, most),
            "advantage": advantage_figure(audit, steepest),
            "pairs": pairs_figure(audit),
            "course": course_figure(courses[i]) if courses else None,
        }
        for i, audit in enumerate(audits)
    ]
