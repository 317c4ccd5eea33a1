"""`esi reproduce`: the whole chain."""

from pathlib import Path
from typing import Annotated

import typer

from .train import Base, Profile


def reproduce(
    series: Annotated[str, typer.Option(help="experiments in order, or all (v43,v45c,v46,v47,v48)")] = "v43,v46",
    base: Base = "tiny",
    profile: Profile = "full",
    cases: Annotated[int, typer.Option(help="held-out cases on which every member is evaluated", min=1)] = 600,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="folder [default: runs/BASE]")] = None,
) -> None:
    """Run the model card's series from data to one report: warm start, GRPO, evaluation, comparison.

    About 15 minutes for the default on two cores; the report is REPORT.html in the output folder. An interrupted
    series goes on where it was.

    Example: esi reproduce --series all
    """
    from ..reproduce import reproduce_series

    report = reproduce_series(series, base, profile, cases, output or Path("runs") / Path(base).name)
    typer.echo(f"report: {report}")
