"""`esi train`: one experiment."""

from pathlib import Path
from typing import Annotated

import typer

from ...errors import InputError
from ...train.bases import BASES

Base = Annotated[str, typer.Option(help=f"{', '.join(BASES)}, a folder with a model, or a hub id")]
Profile = Annotated[
    str,
    typer.Option(
        help="full; lab (an hour on one small GPU); smoke (the plumbing only); gpu80, gpu128 (one GPU of so many GB)"
    ),
]


def train(
    experiment: Annotated[
        str,
        typer.Argument(
            help="v43, v45c, v46, v47, v48, audited, verified, calibrated, reader, risk, findings, or a TOML file"
        ),
    ],
    base: Base = "tiny",
    profile: Profile = "full",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="run folder [default: runs/BASE/NAME]")] = None,
    parent: Annotated[Path | None, typer.Option(help="run of the warm start [default: beside the output]")] = None,
    data: Annotated[str | None, typer.Option(help="case table to train on, instead of the file's data.source")] = None,
    log_to: Annotated[
        str | None,
        typer.Option(help="tracker that gets the metrics, and text of open cases: trackio, tensorboard, wandb"),
    ] = None,
) -> None:
    """Train one experiment: SFT, or GRPO from its parent's adapter. Interrupted runs go on; finished ones stay.

    `reader` trains the encoder that `--model reader` answers with, on real visits (--data), nurse notes and vignettes;
    `risk` its head for critical outcomes, on the reader in --parent and by its settings. Both need `make reader` once,
    and take --data visits.parquet. `findings` learns what the rules' findings mean, from the notes and vignettes that
    come with the package. --base and --log-to are of the language models.

    Several GPUs: torchrun --nproc_per_node 8 -m esi_triage.cli.main train v46 --base qwen3.5-9b (docs/scale.md).

    Example: esi train v43 && esi train v46
    """
    from ...train.reader.settings import check_options, is_reader

    if experiment in ("risk", "findings") or is_reader(experiment):
        check_options(experiment, profile, base, parent, log_to)
        if experiment == "findings":
            _findings(profile, output, data)
        else:
            _reader(experiment, profile, output, parent, data)
        return
    from ...train.experiment import load_experiment
    from ...train.launch import start
    from ...train.processes import is_main

    resolved = load_experiment(experiment, base, profile, data)
    if parent is not None and resolved.parent is None:
        raise InputError(f"--parent {parent}: {resolved.name} goes on from no run; leave --parent out.")
    run = start(resolved, output, parent, log_to)
    if not is_main():
        return
    typer.echo(f"finished: {run.folder} (adapter in {run.adapter})")
    typer.echo(f'try it:   esi triage --model {run.folder} "..."')


def _reader(experiment: str, profile: str, output: Path | None, parent: Path | None, data: str | None) -> None:
    from ...train.reader.risk import train_risk
    from ...train.reader.settings import load_reader_experiment
    from ...train.reader.training import train_reader

    runs = Path("runs/minilm")
    if experiment != "risk":
        resolved = load_reader_experiment(experiment, profile)
        place = train_reader(resolved, Path(data) if data else None, output or runs / resolved.name)
        typer.echo(f"finished: {place}\ntry it:   esi triage --model reader:{place} ...")
        return
    if data is None:
        raise InputError("risk learns from the outcomes of real visits; give their table: --data visits.parquet.")
    reader = (parent or runs / "reader") / "reader"
    place = output or runs / "risk"
    facts = train_risk(Path(data), reader, place)
    typer.echo(f"finished: {place} ({facts['critical']:,} critical outcomes in {facts['visits']:,} visits)")


def _findings(profile: str, output: Path | None, data: str | None) -> None:
    from ...train.reader.findings_weights import train_findings
    from ...train.reader.settings import load_reader_experiment

    if data:
        raise InputError("findings learns from the notes and vignettes of the package; leave --data out.")
    place = output or Path("runs/minilm/findings")
    facts = train_findings(load_reader_experiment(profile=profile), place)
    typer.echo(f"finished: {place} ({facts['marks']:,} marks and {facts['words']:,} words in {facts['notes']:,} notes)")
