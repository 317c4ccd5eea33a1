"""`esi evaluate`: a model on labelled cases."""

from pathlib import Path
from typing import Annotated

import typer

from .score import ModelName, Seed


def evaluate(
    model: ModelName,
    cases: Annotated[Path, typer.Option(help="labelled cases (.parquet or .jsonl): case_id, narrative, gold")],
    output: Annotated[Path, typer.Option("--output", "-o", help="folder for metrics.json and report.html")],
    seed: Seed = None,
) -> None:
    """Let a model answer labelled cases and measure it, beside the best constant answer.

    Every proportion comes with its n and its 95 % interval. An answer without a level counts as wrong. Rows without a
    gold level are left out and counted; bad rows are named.

    Example: esi evaluate --model runs/tiny/v46 --cases demo.parquet --output runs/tiny/v46/demo
    """
    from ..evaluate.evaluation import evaluate_file
    from ..page import interval
    from ..predict import load_model

    result, bad, unlabelled = evaluate_file(load_model(model, seed), cases, output)
    m = result.metrics
    constant = m["best_constant"]
    for row in bad:
        typer.echo(f"bad row {row.row} ({row.case_id or 'no case_id'}): {row.reason}", err=True)
    typer.echo(f"{result.model} on {m['n']} cases ({unlabelled} without a gold level left out, {len(bad)} bad rows)")
    for name in ("exact", "within_one"):
        trivial = f"always ESI-{constant['level']}: {interval(constant[name])}"
        typer.echo(f"  {name.replace('_', ' '):11} {interval(m[name])}   {trivial}")
    typer.echo(f"  no answer   {interval(m['no_parse'])}")
    typer.echo(f"  ESI 1-2     sensitivity {interval(m['high_acuity_sensitivity'])}")
    typer.echo(f"report: {output / 'report.html'}")
