"""`esi explain`: what the rules read in a narrative, and the path that they took."""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from ..notice import NOTICE

if TYPE_CHECKING:
    from ..esi import Decision, Findings

# bold and underlined count, dimmed does not: readable without colour
_STYLES = {"present": "bold underline", "possible": "underline", "baseline": "italic"}


def explain(
    narrative: Annotated[str, typer.Argument(help="the triage narrative, in quotes; - reads standard input")],
    version: Annotated[str, typer.Option(help="ESI handbook: v5 (2023) or v4 (2012)")] = "v5",
    form: Annotated[str, typer.Option("--format", help="text or json")] = "text",
) -> None:
    """Show what the rules read in a narrative: findings with their context, vital signs, and the path A to D.

    A finding that is absent, past, family history or only planned is listed with that status and does not count.

    Example: esi explain "Intubated in 2019. Now ankle pain 8/10 after a twist, swollen, walking. No chest pain."
    """
    from ..esi import decide, read

    if form not in ("text", "json"):
        raise InputError(f"--format {form!r}: give text or json.")
    if version not in ("v4", "v5"):
        raise InputError(f"--version {version!r}: the handbook is v4 or v5.")
    text = sys.stdin.read() if narrative == "-" else narrative
    if not text.strip():
        raise InputError("the narrative is empty; write what the triage nurse knows, e.g. complaint and vital signs.")
    findings = read(text)
    decision = decide(findings, version)
    if form == "json":
        found = {"findings": findings.to_dict(), "decision": decision.to_dict(), "notice": NOTICE}
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    print_reading(text, findings)
    print_path(decision)
    typer.echo(NOTICE)


def print_reading(narrative: str, findings: "Findings") -> None:
    """The narrative with its evidence marked, then each finding with its status."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

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
    for finding in findings.items:
        table.add_row(finding.label, finding.status, "; ".join(span.text for span in finding.evidence))
    for name, span in findings.measured.items():
        table.add_row(name.replace("_", " "), "measured", span.text)
    console.print(table)
    for warning in findings.warnings:
        console.print(Text(f"warning: {warning}"))
    console.print()


def print_path(decision: "Decision") -> None:
    """The decision points in order, and the level."""
    from rich.console import Console
    from rich.text import Text

    from ..esi import Level

    console = Console()
    for step in decision.steps:
        console.print(Text.assemble((f"{step.point}  {step.answer:13}", "bold"), step.reason))
    left_open = sorted(decision.possible - {decision.level})
    console.print(Text(f"\nESI {decision.level} ({decision.version}): {Level(decision.level).meaning}", "bold"))
    if left_open:
        console.print(f"the narrative leaves open: {', '.join(f'ESI {level}' for level in left_open)}")
