"""`esi reproduce`: the whole chain."""

from pathlib import Path
from typing import Annotated

import typer

from .train import Base, Profile


def reproduce(
    series: Annotated[
        str, typer.Option(help="experiments in order, or all (v43,v45c,v46,v47,v48,audited)")
    ] = "v43,v46",
    base: Base = "tiny",
    profile: Profile = "full",
    cases: Annotated[int, typer.Option(help="held-out cases on which every member is evaluated, at most", min=1)] = 600,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="folder [default: runs/BASE, with --data runs/BASE-DATA]")
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="case table (.parquet, .jsonl): its split train trains, held_out is the test; or a folder of NHAMCS "
            "releases, or nhamcs to fetch them [default: the open corpus]"
        ),
    ] = None,
    test: Annotated[
        Path | None, typer.Option(help="another case table to test on: rows of split held_out, or without a split")
    ] = None,
    seeds: Annotated[
        int, typer.Option(help="training seeds of every member; with several, one report over all of them", min=1)
    ] = 1,
    budget: Annotated[
        float | None, typer.Option(help="hours: says beforehand what fits, and starts nothing that does not", min=0)
    ] = None,
) -> None:
    """Run the model card's series from data to one report: warm start, GRPO, evaluation, comparison.

    About 5 minutes for the default on two cores; the report is report.html in the output folder. An interrupted
    series goes on where it was, and runs of the same experiments that `esi train` left in the folder are taken over.

    Several seeds make a tournament, an overnight job: members x seeds one after another, killed and started again at
    will. tournament.html has means and spread over seeds, paired comparisons, and predicted against observed shares.

    Example: esi reproduce --series all --seeds 5 --budget 8
    """
    from ...reproduce import hold_tournament, reproduce_series

    folder = output or Path("runs") / (Path(base).name if data is None else f"{Path(base).name}-{Path(data).stem}")
    if seeds == 1 and budget is None:
        report = reproduce_series(series, base, profile, cases, folder, data, test)
    else:
        report = hold_tournament(series, base, profile, cases, folder, data, test, seeds=seeds, budget=budget)
    typer.echo(f"report: {report}")
