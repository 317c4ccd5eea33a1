"""`esi data fetch`: open data from where its publisher keeps it."""

from pathlib import Path
from typing import Annotated

import typer

from ...errors import InputError


def fetch(
    source: Annotated[str, typer.Argument(help="nhamcs")],
    output: Annotated[Path, typer.Option("--output", "-o", help="folder for the releases")],
    years: Annotated[str, typer.Option(help="e.g. 2016-2022, or 2016,2018-2020")] = "2016-2022",
    base: Annotated[
        str | None, typer.Option(help="another address of the releases, e.g. of a mirror; default: the agency's server")
    ] = None,
) -> None:
    """Download the official releases, verified where their sha256 is known, and print their terms of use.

    A download that was cut off goes on where it stopped; a release that is there already is verified and kept. This is
    the only command that fetches data from the internet.

    Example: esi data fetch nhamcs --years 2016-2022 --output nhamcs
    """
    from ...data.nhamcs.layouts import written
    from ...data.nhamcs.nhamcs_download import fetch_nhamcs, years_named

    if source != "nhamcs":
        raise InputError(
            f"source {source!r}: only nhamcs can be fetched; the others need an agreement or a file of yours."
        )
    typer.echo(written("releases")["terms"].strip() + "\n")
    for release in fetch_nhamcs(years_named(years), output, base):
        how = "is there already" if release.was_there else "fetched"
        verified = "sha256 verified" if release.verified else "no sha256 is known for it"
        typer.echo(f"{release.path}: {how}, {verified}")
    typer.echo(f"\nNext: esi data build nhamcs --input {output} --output visits.parquet")
