"""The report of one evaluation, as a page and as Markdown; row text of patients is in neither, unless it is open."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...atomic_files import write_text
from ...esi import Case
from ...notice import NOTICE
from ...page import write_page
from ...predict.model import Reply
from .figures import drawn
from .sections import sections
from .tables import Section, Table

ROOM = "esi_triage.evaluate.report"


def write_report(
    model: str,
    measured: dict[str, Any],
    output: Path,
    bad: Sequence[dict[str, Any]] = (),
    shown: Sequence[tuple[Case, Reply]] = (),
) -> None:
    """Write report.html and report.md into `output`. `shown` are open cases for the case browser, wrong ones first."""
    said = sections(model, measured)
    write_page(
        ROOM,
        "evaluation.html",
        output / "report.html",
        model=model,
        m=measured,
        sections=said,
        figures=drawn(model, measured),
        bad=bad,
        shown=sorted(shown, key=_worst_first),
    )
    write_text(output / "report.md", report_markdown(model, said))


def report_markdown(model: str, said: Sequence[Section]) -> str:
    """The report as Markdown, without figures."""
    return f"# Evaluation of {_plain(model)}\n\n> {NOTICE}\n\n{markdown_of(said)}\n"


def markdown_of(said: Sequence[Section], level: int = 2) -> str:
    """Sections as Markdown, their headings at that level."""
    parts = []
    for section in said:
        body = (_plain(section.lead), *map(_table, section.tables), _plain(section.note))
        parts += [f"{'#' * level} {_plain(section.title)}", *body]
    return "\n\n".join(part for part in parts if part)


def _table(table: Table) -> str:
    if not table.rows:
        return ""
    lines = [table.head, ["---"] + ["---:"] * (len(table.head) - 1), *table.rows]
    return "\n".join(f"| {' | '.join(_plain(cell).replace('|', '/') for cell in line)} |" for line in lines)


def _plain(text: str) -> str:
    """Text for Markdown in which no HTML counts: names of models, groups and files come from outside."""
    return " ".join(text.replace("&", "&amp;").replace("<", "&lt;").splitlines())


def _worst_first(row: tuple[Case, Reply]) -> int:
    """Levels off, the most first; no answer before all."""
    case, reply = row
    return -9 if reply.level is None else -abs(reply.level - (case.gold or 0))
