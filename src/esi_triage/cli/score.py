"""`esi score`: a file of narratives to a file of predictions."""

from pathlib import Path
from typing import Annotated

import typer

ModelName = Annotated[
    str, typer.Option("--model", "-m", help="rules, constant:1 to constant:5, a run folder, an adapter, or a base")
]
Seed = Annotated[int | None, typer.Option(help="sampling seed of a language model [default: its run's]")]


def score(
    model: ModelName,
    source: Annotated[Path, typer.Option("--input", "-i", help="rows with case_id and narrative (.jsonl or .parquet)")],
    output: Annotated[Path, typer.Option("--output", "-o", help="predictions to write (.jsonl or .parquet)")],
    seed: Seed = None,
) -> None:
    """Score every row of a file. Order and count are kept.

    Rows out: case_id, level (1 to 5 or null), answer, and probabilities where the model has them. A bad row keeps its
    place with a null level and its error; it is named here and in OUTPUT.quarantine.jsonl.

    Example: esi score --model rules --input cases.jsonl --output predictions.jsonl
    """
    from ..predict import load_model
    from ..predict.scoring import score_file

    n, bad = score_file(load_model(model, seed), source, output)
    for row in bad:
        typer.echo(f"bad row {row.row} ({row.case_id or 'no case_id'}): {row.reason}", err=True)
    typer.echo(f"{n} rows, {n - len(bad)} scored, {len(bad)} bad: {output}")
