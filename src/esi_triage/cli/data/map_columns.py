"""`esi data map`: propose what a hospital's columns mean."""

from pathlib import Path
from typing import Annotated

import typer


def map_columns(
    guess: Annotated[Path, typer.Option("--guess", metavar="FILE", help="a table: .csv, .tsv (or .gz), .parquet")],
) -> None:
    """Print a map.toml for a file, to be corrected and given to `esi data build table --map`.

    Columns are recognised by their names, units and codes by what is in them. Nothing is sent anywhere; of the file's
    content the map shows only codes and the range of numbers.

    Example: esi data map --guess visits.csv > map.toml
    """
    from ...data.hospital.guessed_map import guess_map

    typer.echo(guess_map(guess), nl=False)
