"""`esi data`: build case tables, and hold them against each other."""

from pathlib import Path
from typing import Annotated

import typer

from ...errors import InputError
from ..output import TextOrJson, print_json
from . import agree, check, fetch, map_columns, targets

app = typer.Typer(help="Build case tables, and check them against each other.", no_args_is_help=True)
app.command("fetch")(fetch.fetch)
app.command("map")(map_columns.map_columns)
app.command("check")(check.check)
app.command("agree")(agree.agree)
app.command("targets")(targets.targets)


@app.command()
def build(
    source: Annotated[str, typer.Argument(help="mimic-iv-ed, mietic, nhamcs, ktas, table, notes or open")],
    output: Annotated[Path, typer.Option("--output", "-o", help="case table to write: .parquet or .jsonl")],
    given: Annotated[
        Path | None,
        typer.Option(
            "--input",
            "-i",
            help="mimic-iv-ed, mietic, nhamcs: the folder of the release; ktas, table: a file",
        ),
    ] = None,
    column_map: Annotated[
        Path | None,
        typer.Option(
            "--map",
            help="table: what its columns mean (propose one with `esi data map --guess FILE`), or hospital-triage",
        ),
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
    held_out: Annotated[
        int,
        typer.Option(
            help="nhamcs: the first year that is held out; the year before is for tuning, earlier ones train", min=2009
        ),
    ] = 2020,
    reasons: Annotated[
        int,
        typer.Option(
            help="nhamcs: reasons for visit told; the first leads, later ones are partly elicited later", min=1, max=5
        ),
    ] = 1,
    history: Annotated[
        bool,
        typer.Option("--history", help="nhamcs: tell chronic conditions, which are abstracted from the whole chart"),
    ] = False,
    exclude: Annotated[
        Path | None,
        typer.Option(
            help="leave out the rows that `esi data check TRAIN TEST --output FILE` has found in the test set"
        ),
    ] = None,
    n: Annotated[int, typer.Option(help="open: how many cases", min=1)] = 25_000,
    seed: Annotated[int, typer.Option(help="decides styles and wordings, and the open corpus' cases")] = 0,
    form: TextOrJson = "text",
) -> None:
    """Build the case table: one row a visit, with a narrative and, where known, its ESI level.

    Missing values stay missing and are told as "not recorded"; no row is dropped for them. Only what the triage nurse
    could know enters a narrative. Rows that cannot be used go to OUTPUT.quarantine.jsonl, with the reason. What was
    read, cleaned and counted stands in NAME.dataset.json beside the table, with the table's sha256.

    Example: esi data build mimic-iv-ed --input mimic-iv-ed-demo-2.2 --output demo.parquet
    """
    from ...atomic_files import refuse_overwriting
    from ...data import build as builds
    from ...data.hospital.hospital_cases import build_table
    from ...data.ktas.ktas_cases import build_ktas
    from ...data.mietic.mietic_cases import build_mietic
    from ...data.nhamcs.nhamcs_build import build_nhamcs
    from ...data.nhamcs.nhamcs_cases import Telling
    from ...data.overlap.overlap_file import read_overlap

    refuse_overwriting(builds.built_files(output), exclude)
    overlap = read_overlap(exclude) if exclude else None
    if source == "open":
        report = builds.build_open(output, n, seed, overlap)
    elif source == "notes":
        report = builds.build_notes(output, overlap)
    elif source not in ("mimic-iv-ed", "mietic", "nhamcs", "ktas", "table"):
        raise InputError(
            f"source {source!r}: known sources are mimic-iv-ed, mietic, nhamcs, ktas, table, notes and open."
        )
    elif given is None:
        raise InputError(f"--input is missing: give the {'file' if source in ('ktas', 'table') else 'folder'} to read.")
    elif source == "mimic-iv-ed":
        report = builds.build_mimic(given, output, seed, patients, overlap)
    elif source == "mietic":
        report = build_mietic(given, output, gold_from_bands, overlap)
    elif source == "nhamcs":
        report = build_nhamcs(given, output, Telling(reasons, history, seed), held_out, overlap)
    elif source == "ktas":
        report = build_ktas(given, output, seed, overlap)
    elif column_map is None:
        raise InputError("--map is missing: propose one with `esi data map --guess FILE > map.toml`, and correct it.")
    else:
        report = build_table(given, column_map, output, seed, overlap)
    print_json({**report, "written": str(output)}) if form == "json" else typer.echo(builds.summary(report, output))
