"""`esi evaluate`: a model on labelled cases."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ..errors import InputError
from .score import Agreement, Endpoint, ModelName, Parallel, Parameters, Rate, Seed, Timeout, say_failed

_PANEL = "What the report holds"
Beside = Annotated[
    list[str] | None,
    typer.Option(
        help="another model that answers the same cases and stands beside this one: the run it was trained from, the "
        "base alone, baseline:FOLDER/NAME; may be given several times",
        rich_help_panel=_PANEL,
    ),
]
Only = Annotated[
    Literal["train", "tuning", "held_out"] | None, typer.Option(help="only the rows of this split [default: all]")
]
Samples = Annotated[
    int,
    typer.Option(
        help="how often a model that samples is asked about each case, to see how far its answers repeat; the first "
        "sample is the one that is measured",
        min=1,
        rich_help_panel=_PANEL,
    ),
]
Perturb = Annotated[
    bool,
    typer.Option(
        "--perturb",
        help="ask again about changed narratives (sex, race, units, order, typing errors, injected answers; a "
        "life-saving intervention added): ten times the work",
        rich_help_panel=_PANEL,
    ),
]
WithCases = Annotated[
    bool,
    typer.Option(
        "--with-cases",
        help="put texts and answers into report.html; refused unless all cases are open",
        rich_help_panel=_PANEL,
    ),
]
Gate = Annotated[
    Path | None,
    typer.Option(
        help='TOML file of limits, e.g. [at_least] "exact.low" = 0.5; exit code 1 where one does not hold',
        rich_help_panel=_PANEL,
    ),
]


def evaluate(
    cases: Annotated[Path, typer.Option(help="labelled cases (.parquet or .jsonl): case_id, narrative, gold")],
    output: Annotated[Path, typer.Option("--output", "-o", help="folder for metrics.json and report.html")],
    model: ModelName = "",
    split: Only = None,
    seed: Seed = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            help="instead of a model, predictions made elsewhere (.jsonl, .parquet, .csv): case_id, level or null, and "
            "probabilities and answer where there are any; --model may give them a name"
        ),
    ] = None,
    endpoint: Endpoint = None,
    agreement: Agreement = None,
    rate: Rate = None,
    parallel: Parallel = 8,
    timeout: Timeout = 300,
    parameter: Parameters = None,
    beside: Beside = None,
    samples: Samples = 1,
    perturb: Perturb = False,
    with_cases: WithCases = False,
    gate: Gate = None,
) -> None:
    """Let a model answer labelled cases and measure it, beside each constant answer, chance and the rules.

    Every proportion comes with its n and its 95 % interval. An answer without a level counts as wrong. Rows without a
    gold level are left out and counted; bad rows are named. An evaluation that was killed goes on where it was. Each
    scoring is noted in a ledger beside the cases. Exit code 1 where a limit of --gate does not hold.

    Example: esi evaluate --model runs/tiny/v46 --cases demo.parquet --output runs/tiny/v46/demo
    """
    if perturb and predictions:
        raise InputError(
            "--perturb and --predictions: predictions cannot be asked again; give a model, or leave one out."
        )
    from ..evaluate.evaluation import evaluate_file
    from ..evaluate.gate import broken, read_gate
    from ..evaluate.ledger import in_words
    from ..page import interval
    from ..predict import load_model
    from ..predict.load import find_model

    limits = read_gate(gate) if gate else []

    found = find_model(
        model,
        seed,
        endpoint,
        agreement,
        parameter or (),
        predictions,
        cases,
        rate=rate,
        parallel=parallel,
        timeout=timeout,
    )
    result, bad, unlabelled = evaluate_file(
        found,
        cases,
        output,
        spec=str(predictions) if predictions else model,
        others={other: load_model(other, seed) for other in beside or ()},
        split=split,
        samples=samples,
        perturb=perturb,
        with_cases=with_cases,
    )
    m = result.metrics
    constant = m["best_constant"]
    for row in bad:
        typer.echo(f"bad row {row.row} ({row.case_id or 'no case_id'}): {row.reason}", err=True)
    left_out = f"{unlabelled} without a gold level left out, {len(bad)} bad rows"
    left_out += f", {m['rows']['other_split']} of other splits" if split else ""
    typer.echo(f"{result.model} on {m['n']} cases ({left_out})")
    if seen := m["splits"].get("train"):
        typer.echo(f"{seen} of them are of the split train, which a model may have learned by heart", err=True)
    for name in ("exact", "within_one"):
        trivial = f"always ESI-{constant['level']}: {interval(constant[name])}"
        typer.echo(f"  {name.replace('_', ' '):11} {interval(m[name])}   {trivial}")
    typer.echo(f"  no answer   {interval(m['no_parse'])}")
    typer.echo(f"  ESI 1-2     sensitivity {interval(m['high_acuity_sensitivity'])}")
    say_failed([reply.error for reply in result.replies if reply.error], again=endpoint is not None)
    typer.echo(f"  this set    scored {in_words(m['ledger'])}")
    typer.echo(f"report: {output / 'report.html'}")
    failed = broken(limits, m, gate) if gate else []
    for line in failed:
        typer.echo(f"gate: {line}", err=True)
    if failed:
        raise typer.Exit(1)
