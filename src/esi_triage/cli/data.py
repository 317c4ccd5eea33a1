"""`esi data`: build case tables."""

from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError

app = typer.Typer(help="Build case tables from MIMIC-IV-ED or from the open corpus.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps `build` a named subcommand."""


@app.command()
def build(
    source: Annotated[str, typer.Argument(help="mimic-iv-ed or open")],
    output: Annotated[Path, typer.Option("--output", "-o", help="case table to write: .parquet or .jsonl")],
    folder: Annotated[
        Path | None,
        typer.Option("--input", "-i", help="mimic-iv-ed: the folder of the six tables (.csv or .csv.gz)"),
    ] = None,
    n: Annotated[int, typer.Option(help="open: how many cases")] = 6500,
    seed: Annotated[int, typer.Option(help="decides narrative styles, and the open corpus' cases")] = 0,
) -> None:
    """Build the case table: one row a visit, with a narrative and, where known, its ESI level.

    Missing values stay missing and are told as "not recorded"; no row is dropped for them. Only what the triage nurse
    could know enters a narrative. Rows that cannot be used go to OUTPUT.quarantine.jsonl, with the reason.

    Example: esi data build mimic-iv-ed --input mimic-iv-ed-demo-2.2 --output demo.parquet
    """
    from ..data.build import build_mimic, build_open, summary

    if source == "mimic-iv-ed":
        if folder is None:
            raise InputError("--input is missing: give the folder of the MIMIC-IV-ED release.")
        report = build_mimic(folder, output, seed)
    elif source == "open":
        report = build_open(output, n, seed)
    else:
        raise InputError(f"source {source!r}: known sources are mimic-iv-ed and open.")
    typer.echo(summary(report, output))
