"""`esi score`: a file of narratives to a file of predictions."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from .output import TextOrJson, print_json

ModelName = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        help="rules, guard, guard:MODEL, a model that ships (esi models), constant:1 to constant:5, "
        "baseline:FOLDER/NAME, a run folder, an adapter, a base; with --endpoint NAME, guard:NAME or extract:NAME",
    ),
]
Seed = Annotated[
    int | None, typer.Option(help="sampling seed of a language model [default: its run's]", min=0, max=2**32 - 1)
]
Fast = Annotated[bool, typer.Option("--fast", help="a language model answers at once, without a chain")]
CalibrationFile = Annotated[
    Path | None,
    typer.Option("--calibration", help="calibration of the model (esi calibrate) [default: the one beside its files]"),
]

_PARTS = "Many rows: parts, workers"
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


class ScoreCommand(TyperCommand):
    """`--ray` may stand alone, which means a cluster of its own; typer knows no option whose value may be left out."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give a bare `--ray` its value."""
        after = [*args, "-"][1:]
        told = [
            [arg, "local"] if arg == "--ray" and next_.startswith("-") else [arg]
            for arg, next_ in zip(args, after, strict=True)
        ]
        return super().parse_args(ctx, [arg for pair in told for arg in pair])


def score(
    model: ModelName,
    source: Annotated[Path, typer.Option("--input", "-i", help="rows with case_id and narrative (.jsonl or .parquet)")],
    output: Annotated[Path, typer.Option("--output", "-o", help="predictions to write (.jsonl or .parquet)")],
    seed: Seed = None,
    fast: Fast = False,
    calibration: CalibrationFile = None,
    endpoint: Endpoint = None,
    agreement: Agreement = None,
    rate: Rate = None,
    parallel: Parallel = 8,
    timeout: Timeout = 300,
    parameter: Parameters = None,
    parts: Annotated[
        int | None, typer.Option(help="cut the input into N parts", min=1, metavar="N", rich_help_panel=_PARTS)
    ] = None,
    workers: Annotated[
        int, typer.Option(help="processes that score parts", min=1, metavar="M", rich_help_panel=_PARTS)
    ] = 1,
    ray: Annotated[
        str | None,
        typer.Option(
            help="Ray actors in place of processes; on a cluster of their own, or of that address",
            metavar="[ADDRESS]",
            rich_help_panel=_PARTS,
        ),
    ] = None,
    form: TextOrJson = "text",
) -> None:
    """Score every row of a file. Order and count are kept.

    Rows out: case_id, level (1 to 5 or null), answer, hand_over (codes of the reasons why a person decides), and where
    the model has them probabilities, the set of levels not excluded, the levels that the rules leave possible, and
    warnings. A bad row keeps its place with a null level and its error; it is named here and in
    OUTPUT.quarantine.jsonl. A language model's answers are kept in OUTPUT.resume.jsonl as they come: the same command
    goes on where a killed run was, and asks again what failed.

    With --parts, --workers or --ray the input is cut into fixed parts (of 10,000 rows, unless --parts says how many).
    What a killed worker or run had not finished is done again, the output is the same whoever did it, and
    OUTPUT.manifest.json lists the parts. See docs/scale.md.

    Example: esi score --model rules --input cases.jsonl --output predictions.jsonl
    """
    from ..predict.load import find_model
    from ..predict.score_file import score_file

    chosen = {"fast": fast, "calibration": calibration, "parallel": parallel, "timeout": timeout}
    if parts or workers > 1 or ray:
        chosen["rate"] = rate and rate / workers
        load = partial(find_model, model, seed, endpoint, agreement, parameter or (), **chosen)
        _in_parts(load, source, output, parts, workers, ray, again=endpoint is not None, form=form)
        return
    found = find_model(model, seed, endpoint, agreement, parameter or (), rate=rate, **chosen)
    rows, bad, failed = score_file(found, source, output)
    for row in bad:
        typer.echo(f"bad row {row.row} ({row.case_id or 'no case_id'}): {row.reason}", err=True)
    say_failed(failed, again=endpoint is not None)
    if found.notice:
        typer.echo(f"note: {found.notice}", err=True)
    _say_counts(rows, len(bad), len(failed), output, form)


def _in_parts(
    load: Callable[[], Any],
    source: Path,
    output: Path,
    parts: int | None,
    workers: int,
    ray: str | None,
    *,
    again: bool,
    form: str,
) -> None:
    from ..predict.parts.score_parts import score_parts

    merged = score_parts(load, source, output, parts, workers, ray)
    if merged.bad:
        typer.echo(f"{merged.bad} bad rows: {output}.quarantine.jsonl", err=True)
    say_failed(list(merged.failed.elements()), again)
    if merged.notice:
        typer.echo(f"note: {merged.notice}", err=True)
    _say_counts(merged.rows, merged.bad, merged.failed.total(), output, form)


def _say_counts(rows: int, bad: int, failed: int, output: Path, form: str) -> None:
    counts = {"rows": rows, "scored": rows - bad - failed, "bad": bad, "failed": failed}
    if form == "json":
        print_json({**counts, "output": str(output)})
    else:
        typer.echo(f"{rows} rows, {counts['scored']} scored, {bad} bad, {failed} failed: {output}")


def say_failed(reasons: Sequence[str], again: bool) -> None:
    """Say that cases got no reply, why, and whether they can be asked again."""
    for reason, n in Counter(reasons).most_common(5):
        typer.echo(f"no reply, counted as wrong: {n} cases, {reason}", err=True)
    if reasons and again:
        typer.echo("the same command asks only those again", err=True)
