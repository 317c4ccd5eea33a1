"""What the commands of `esi reward` have in common: options, and where the result goes."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ...errors import InputError

DesignName = Annotated[
    str,
    typer.Argument(
        help="a shipped design (audited, verified, calibrated, v45c, v46, v47, v48) or a TOML file", metavar="DESIGN"
    ),
]
DesignNames = Annotated[
    list[str], typer.Argument(help="shipped designs (audited, v45c, v46, …) or TOML files", metavar="DESIGN…")
]
Prior = Annotated[
    str | None,
    typer.Option(
        help="shares of the levels in deployment: mimic-iv-ed (the default for five levels), uniform, or p1,p2,..."
    ),
]
Cut = Annotated[float, typer.Option(help="share of answers cut at the token limit, which score as no answer")]
Scale = Annotated[
    Literal["group", "none"],
    typer.Option(help="what the trainer divides advantages by: TRL's scale_rewards (batch is as none here)"),
]
GroupSize = Annotated[int, typer.Option(help="answers that GRPO compares")]
Severe = Literal["note", "warning", "error"]
TextOrJson = Annotated[Literal["text", "json"], typer.Option("--format", help="how to print it")]
TextJsonOrHtml = Annotated[Literal["text", "json", "html"], typer.Option("--format", help="how to print it")]
Output = Annotated[Path | None, typer.Option(help="write there instead; html needs it")]


def page_file(form: str, output: Path | None, *inputs: str | Path | None) -> Path | None:
    """The file of the page, where a page is asked for.

    Raises InputError where it has no name, and where the output is one of the inputs.
    """
    from ...atomic_files import refuse_overwriting

    refuse_overwriting([output] if output else [], *(Path(given) for given in inputs if given is not None))
    if form == "html" and output is None:
        raise InputError("--format html: give --output FILE, the page to write.")
    return output if form == "html" else None


def deliver(text: str, output: Path | None = None) -> None:
    """Print `text`, or write it into the file."""
    from ...atomic_files import write_text

    typer.echo(text) if output is None else write_text(output, text + "\n")


def json_text(values: Any) -> str:
    """Indented JSON."""
    return json.dumps(values, indent=2, ensure_ascii=False)
