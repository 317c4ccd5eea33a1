"""`esi explain`: what the rules read in a narrative, and the path that they took."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..notice import NOTICE
from ..reading import given_narrative
from .output import TextOrJson, is_quiet, print_json

if TYPE_CHECKING:
    from ..esi import Decision, Findings

Handbook = Annotated[Literal["v5", "v4"], typer.Option("--version", help="ESI handbook: v5 (2023) or v4 (2012)")]

# bold and underlined count, dimmed does not: readable without colour
_STYLES = {"present": "bold underline", "possible": "underline", "baseline": "italic"}


def explain(
    narrative: Annotated[str, typer.Argument(help="the triage narrative, in quotes; - reads standard input")],
    version: Handbook = "v5",
    form: TextOrJson = "text",
) -> None:
    """Show what the rules read in a narrative: findings with their context, vital signs, and the path A to D.

    A finding that is absent, past, family history or only planned is listed with that status and does not count.

    Example: esi explain "Seizure in 2019. Now ankle pain 8/10 after a twist, swollen, walking. No chest pain."
    """
    from ..esi import decide, read

    text = given_narrative(narrative)
    findings = read(text)
    decision = decide(findings, version)
    if form == "json":
        print_json({"findings": findings.to_dict(), "decision": decision.to_dict(), "notice": NOTICE})
        return
    print_decision(decision)
    if not is_quiet():
        print_reading(text, findings)
    for warning in findings.warnings:
        typer.echo(f"Warning: {warning}.")
    typer.echo(NOTICE)


def print_reading(narrative: str, findings: "Findings") -> None:
    """The narrative with its evidence marked, then each finding with its status."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ..esi import is_shown

    console = Console()
    marked = Text(narrative)
    for finding in findings.items:
        for span in finding.evidence:
            marked.stylize(_STYLES.get(finding.status, "dim"), span.start, span.end)
    for span in findings.measured.values():
        marked.stylize("bold", span.start, span.end)
    console.print(marked)
    console.print()
    table = Table("finding", "status", "in the narrative", box=None, pad_edge=False)
    for finding in filter(is_shown, findings.items):
        table.add_row(finding.label, finding.status, "; ".join(span.text for span in finding.evidence))
    for name, span in findings.measured.items():
        table.add_row(name.replace("_", " "), "measured", span.text)
    console.print(table)
    if findings.unread:
        console.print(Text("not understood: " + "; ".join(span.text for span in findings.unread)))
    console.print()


def print_decision(decision: "Decision") -> None:
    """The level, what stays open, and the decision points in order."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ..esi import Level

    console = Console()
    console.print(Text(f"ESI {decision.level} ({decision.version}): {Level(decision.level).meaning}", "bold"))
    if left_open := sorted(decision.possible - {decision.level}):
        console.print(f"the narrative leaves open: {', '.join(f'ESI {level}' for level in left_open)}")
    path = Table.grid(padding=(0, 2, 0, 0))
    for step in decision.steps:
        path.add_row(Text(step.point, "bold"), Text(step.answer, "bold"), Text(step.reason))
    console.print(path)
    console.print()
