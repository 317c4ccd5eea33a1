"""`esi card`: the model card and the reporting checklists of a run."""

from pathlib import Path
from typing import Annotated

import typer


def card(
    run: Annotated[Path, typer.Argument(help="run folder, e.g. runs/tiny/v46")],
    evaluation: Annotated[
        Path | None, typer.Option(help="folder of the evaluation to tell [default: the run's own]")
    ] = None,
    author: Annotated[
        Path | None,
        typer.Option(help='TOML file with what only you can say, e.g. [tripod-llm] "14a" = "Funded by ..."'),
    ] = None,
) -> None:
    """Write a run's model card (README.md, for the Hugging Face hub) and its reporting checklists (checklists.md).

    Every item of TRIPOD-LLM and MI-CLEAR-LLM is filled from the run, not applicable and why, or marked AUTHOR MUST
    COMPLETE. Nothing is sent anywhere.

    Example: esi card runs/tiny/v46 --evaluation runs/tiny/v46/demo
    """
    from ...evaluate.report.card.checklist import AUTHOR
    from ...evaluate.report.card.model_card import write_card

    for file in write_card(run, evaluation, author):
        left = sum(AUTHOR in line for line in file.read_text(encoding="utf-8").splitlines())
        typer.echo(f"{file}" + (f" (for the author to complete: {left})" if left else ""))
