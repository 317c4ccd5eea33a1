"""`esi export` and `esi base`: experiments and bases for other engines."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from .train import Base, Profile

base_app = typer.Typer(help="Bases: the models that adapters are trained on.", no_args_is_help=True)
Output = Annotated[Path, typer.Option("--output", "-o", help="folder to write")]


def export(
    engine: Annotated[Literal["verl", "verifiers"], typer.Argument(help="verl, or verifiers (prime-rl)")],
    experiment: Annotated[str, typer.Argument(help="a GRPO experiment: v45c, v46, v47, v48, or a TOML file")],
    output: Output,
    base: Base = "qwen3.5-9b",
    profile: Profile = "full",
    parent: Annotated[Path | None, typer.Option(help="run of the warm start [default: runs/BASE/PARENT]")] = None,
    data: Annotated[str | None, typer.Option(help="case table to train on, instead of the file's data.source")] = None,
) -> None:
    """Write what another engine needs to train an experiment: prompts with gold, reward, configuration, adapter.

    Where the cases are credentialed, so is the folder. See docs/scale.md for what to start on how many GPUs.

    Example: esi export verl v46 --base qwen3.5-9b -o v46-verl
    """
    from ...train.experiment import load_experiment
    from ...train.export.verifiers_export import export_verifiers
    from ...train.export.verl_export import export_verl
    from ...train.launch import run_folder

    resolved = load_experiment(experiment, base, profile, data)
    warm = parent or run_folder(resolved).parent / (resolved.parent or "")
    (export_verl if engine == "verl" else export_verifiers)(resolved, warm, output)
    typer.echo(f"{engine}: {output}")


@base_app.command("export")
def base_export(base: Annotated[str, typer.Argument(help="name, folder or hub id")], output: Output) -> None:
    """Write a base as a text-only folder, for vLLM, verl and merged exports.

    Example: esi base export qwen3.5-9b -o qwen3.5-9b-text
    """
    from ...train.export.base_export import export_base

    typer.echo(f"text-only base: {export_base(base, output)}")


@base_app.command("build")
def base_build(
    base: Annotated[Literal["tiny"], typer.Argument(help="tiny")],
    visits: Annotated[Path, typer.Option(help="case table of esi data build nhamcs")],
    output: Output,
) -> None:
    """Make the base anew that comes with the package: some 40 minutes on two cores. Once interrupted it starts over.

    To put it in the place of the shipped one, copy the folder into esi_triage/train/tiny under the name that its
    weights' SHA-256 gives it (see tiny_base.py there).

    Example: esi base build tiny --visits visits.parquet -o my-tiny
    """
    from ...train.tiny.tiny_base import make_tiny_base

    make_tiny_base(visits, output)
    typer.echo(f"{base}: {output}")
