"""`esi data`: build case tables, and hold them against each other."""

from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from . import data_agree, data_check, data_map, data_targets

app = typer.Typer(help="Build case tables, and check them against each other.", no_args_is_help=True)
app.command("map")(data_map.map_columns)
app.command("check")(data_check.check)
app.command("agree")(data_agree.agree)
app.command("targets")(data_targets.targets)


@app.command()
def build(
    source: Annotated[str, typer.Argument(help="mimic-iv-ed, mietic, table or open")],
    output: Annotated[Path, typer.Option("--output", "-o", help="case table to write: .parquet or .jsonl")],
    given: Annotated[
        Path | None,
        typer.Option(
            "--input", "-i", help="mimic-iv-ed, mietic: the folder of the release; table: a .csv, .tsv or .parquet file"
        ),
    ] = None,
    column_map: Annotated[
        Path | None,
        typer.Option("--map", help="table: what its columns mean (propose one with `esi data map --guess FILE`)"),
    ] = None,
    patients: Annotated[
        Path | None,
        typer.Option(help="mimic-iv-ed: MIMIC-IV's hosp/patients.csv(.gz), for ages; found by itself beside ed/"),
    ] = None,
    gold_from_bands: Annotated[
        bool,
        typer.Option(
            "--gold-from-bands", help="mietic: take the level that question and answer of MIETIC.csv amount to as gold"
        ),
    ] = False,
    n: Annotated[int, typer.Option(help="open: how many cases", min=1)] = 25_000,
    seed: Annotated[int, typer.Option(help="decides styles and wordings, and the open corpus' cases")] = 0,
) -> None:
    """Build the case table: one row a visit, with a narrative and, where known, its ESI level.

    Missing values stay missing and are told as "not recorded"; no row is dropped for them. Only what the triage nurse
    could know enters a narrative. Rows that cannot be used go to OUTPUT.quarantine.jsonl, with the reason. What was
    read, cleaned and counted stands in NAME.dataset.json beside the table, with the table's sha256.

    Example: esi data build mimic-iv-ed --input mimic-iv-ed-demo-2.2 --output demo.parquet
    """
    from ..data import build as builds
    from ..data.mapped import build_table
    from ..data.mietic import build_mietic

    if source == "open":
        report = builds.build_open(output, n, seed)
    elif source not in ("mimic-iv-ed", "mietic", "table"):
        raise InputError(f"source {source!r}: known sources are mimic-iv-ed, mietic, table and open.")
    elif given is None:
        raise InputError(f"--input is missing: give the {'file' if source == 'table' else 'folder'} to read.")
    elif source == "mimic-iv-ed":
        report = builds.build_mimic(given, output, seed, patients)
    elif source == "mietic":
        report = build_mietic(given, output, gold_from_bands)
    elif column_map is None:
        raise InputError("--map is missing: propose one with `esi data map --guess FILE > map.toml`, and correct it.")
    else:
        report = build_table(given, column_map, output, seed)
    typer.echo(builds.summary(report, output))
