"""`esi score`: a file of narratives to a file of predictions."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

ModelName = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        help="rules, constant:1 to constant:5, baseline:FOLDER/NAME, a run folder, an adapter, a base; "
        "with --endpoint, the model's name there",
    ),
]
Seed = Annotated[int | None, typer.Option(help="sampling seed of a language model [default: its run's]")]

_PANEL = "A model behind an endpoint"
Endpoint = Annotated[
    str | None,
    typer.Option(
        help="base URL of an OpenAI-compatible server, e.g. http://127.0.0.1:8000/v1; its key is read from ESI_API_KEY",
        rich_help_panel=_PANEL,
    ),
]
Agreement = Annotated[
    str | None,
    typer.Option(
        help="the agreement and terms under which credentialed rows may go to an endpoint elsewhere",
        rich_help_panel=_PANEL,
    ),
]
Rate = Annotated[
    float | None, typer.Option(help="requests a second at most [default: no limit]", min=0.001, rich_help_panel=_PANEL)
]
Parallel = Annotated[int, typer.Option(help="requests under way at once", min=1, max=256, rich_help_panel=_PANEL)]
Timeout = Annotated[float, typer.Option(help="seconds for one request", min=0.1, rich_help_panel=_PANEL)]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        help="NAME=VALUE sent with each request, NAME= to leave one out [default: temperature=0.1 max_tokens=1024]",
        rich_help_panel=_PANEL,
    ),
]


def score(
    model: ModelName,
    source: Annotated[Path, typer.Option("--input", "-i", help="rows with case_id and narrative (.jsonl or .parquet)")],
    output: Annotated[Path, typer.Option("--output", "-o", help="predictions to write (.jsonl or .parquet)")],
    seed: Seed = None,
    endpoint: Endpoint = None,
    agreement: Agreement = None,
    rate: Rate = None,
    parallel: Parallel = 8,
    timeout: Timeout = 300,
    parameter: Parameters = None,
) -> None:
    """Score every row of a file. Order and count are kept.

    Rows out: case_id, level (1 to 5 or null), answer, and probabilities where the model has them. A bad row keeps its
    place with a null level and its error; it is named here and in OUTPUT.quarantine.jsonl. A language model's answers
    are kept in OUTPUT.journal.jsonl as they come: the same command goes on where a killed run was, and asks again what
    failed.

    Example: esi score --model rules --input cases.jsonl --output predictions.jsonl
    """
    from ..predict.load import find_model
    from ..predict.scoring import score_file

    found = find_model(model, seed, endpoint, agreement, parameter or (), rate=rate, parallel=parallel, timeout=timeout)
    rows, bad, failed = score_file(found, source, output)
    for row in bad:
        typer.echo(f"bad row {row.row} ({row.case_id or 'no case_id'}): {row.reason}", err=True)
    say_failed(failed, again=endpoint is not None)
    typer.echo(f"{rows} rows, {rows - len(bad) - len(failed)} scored, {len(bad)} bad, {len(failed)} failed: {output}")


def say_failed(reasons: Sequence[str], again: bool) -> None:
    """Say that cases got no reply, why, and whether they can be asked again."""
    for reason, n in Counter(reasons).most_common(5):
        typer.echo(f"no reply, counted as wrong: {n} cases, {reason}", err=True)
    if reasons and again:
        typer.echo("the same command asks only those again", err=True)
