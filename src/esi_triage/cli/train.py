"""`esi train`: one experiment."""

from pathlib import Path
from typing import Annotated

import typer

Base = Annotated[str, typer.Option(help="tiny, smollm2, qwen3.5-9b, a folder with a model, or a hub id")]
Profile = Annotated[str, typer.Option(help="full; lab (an hour on one small GPU); smoke (the plumbing only)")]


def train(
    experiment: Annotated[str, typer.Argument(help="v43, v45c, v46, v47, v48, or a TOML file")],
    base: Base = "tiny",
    profile: Profile = "full",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="run folder [default: runs/BASE/NAME]")] = None,
    parent: Annotated[Path | None, typer.Option(help="run of the warm start [default: beside the output]")] = None,
    data: Annotated[str | None, typer.Option(help="case table to train on, instead of the file's data.source")] = None,
) -> None:
    """Train one experiment: SFT, or GRPO from its parent's adapter. Interrupted runs go on; finished ones stay.

    Example: esi train v43 && esi train v46
    """
    from ..train.experiment import load_experiment
    from ..train.start import start

    resolved = load_experiment(experiment, base, profile, data)
    run = start(resolved, output, parent)
    typer.echo(f"finished: {run.folder} (adapter in {run.adapter})")
    typer.echo(f'try it:   esi triage --model {run.folder} "..."')
