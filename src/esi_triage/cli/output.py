"""What every command has: `--quiet`; and what those that print a result have: `--format`."""

import json
import os
from typing import Annotated, Any, Literal

import typer

TextOrJson = Annotated[Literal["text", "json"], typer.Option("--format", help="text or json")]
_asked = False


def quiet_option() -> Any:
    """`--quiet`, an option to append to a command's own."""
    holder = typer.Typer(add_completion=False)
    holder.command()(_holder)
    return typer.main.get_command(holder).params[0]


def is_quiet() -> bool:
    """Whether the command that runs was given `--quiet`."""
    return _asked


def print_json(values: Any) -> None:
    """Indented JSON on standard output."""
    typer.echo(json.dumps(values, indent=2, ensure_ascii=False))


def _hush(asked: bool) -> None:
    """tqdm reads the variable when it is imported, which no command does before this; worker processes read it too."""
    global _asked
    _asked = asked
    if asked:
        os.environ["TQDM_DISABLE"] = "1"


def _holder(
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="no progress bars; the result alone", callback=_hush, expose_value=False),
    ] = False,
) -> None:
    """Has the option."""
