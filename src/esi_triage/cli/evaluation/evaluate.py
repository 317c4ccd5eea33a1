"""`esi evaluate`: a model on labelled cases."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ...errors import InputError
from ..output import TextOrJson, print_json
from ..score import (
    Agreement,
    CalibrationFile,
    Endpoint,
    Fast,
    ModelName,
    Parallel,
    Parameters,
    Rate,
    Seed,
    Timeout,
    say_failed,
)

if TYPE_CHECKING:
    from ...evaluate.measurement import Evaluation

_PANEL = "What the report holds"
Beside = Annotated[
    list[str] | None,
    typer.Option(
        help="another model that answers the same cases and is compared with this one: the run that it was trained "
        "from, the base alone, baseline:FOLDER/NAME; may be given several times",
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
Weighted = Annotated[
    bool,
    typer.Option("--weighted", help="survey-weighted figures too (column weight of the cases)", rich_help_panel=_PANEL),
]
Outcomes = Annotated[
    Path | None,
    typer.Option(
        help="what came after triage: case_id and 0/1 columns such as critical, admitted, died (.parquet, .jsonl, "
        ".csv) [default: NAME.outcomes.parquet beside the cases]",
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
    fast: Fast = False,
    calibration: CalibrationFile = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            help="instead of a model, a predictions file (.jsonl, .parquet, .csv): case_id or stay_id, level or null, "
            "and probabilities (or p1 to p5) and answer where there are any; --model may give them a name"
        ),
    ] = None,
    id_column: Annotated[
        str | None, typer.Option(help="predictions: the column of case_id or stay_id [default: either name]")
    ] = None,
    level_column: Annotated[
        str | None, typer.Option(help="predictions: the column of the level [default: level]")
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
    weighted: Weighted = False,
    outcomes: Outcomes = None,
    with_cases: WithCases = False,
    gate: Gate = None,
    form: TextOrJson = "text",
) -> None:
    """Let a model answer labelled cases and measure it, with constant answers, chance and the rules for comparison.

    Every proportion comes with its n and its 95 % interval. An answer without a level counts as wrong. Rows without a
    gold level are left out and counted; bad rows are named. Outcomes and groups (NAME.outcomes.parquet,
    NAME.groups.parquet) are taken up where they lie beside the cases. An evaluation that was killed goes on where it
    was. Each scoring is noted in a log beside the cases. Exit code 1 where a limit of --gate does not hold.

    Example: esi evaluate --model runs/tiny/v46 --cases demo.parquet --output runs/tiny/v46/demo
    """
    if perturb and predictions:
        raise InputError(
            "--perturb and --predictions: predictions cannot be asked again; give a model, or leave one out."
        )
    from ...evaluate.evaluation import Plan, evaluate_file
    from ...evaluate.gate import broken, read_gate
    from ...predict import load_model
    from ...predict.load import find_model

    limits = read_gate(gate) if gate else []
    settings = {"rate": rate, "parallel": parallel, "timeout": timeout, "fast": fast, "calibration": calibration}
    columns = {"id_column": id_column, "level_column": level_column}
    found = find_model(model, seed, endpoint, agreement, parameter or (), predictions, cases, **columns, **settings)
    if unused := found.settings.get("unused_columns"):
        typer.echo(f"{predictions}: columns that are not used: {', '.join(unused)}", err=True)
    result, bad, _ = evaluate_file(
        found,
        cases,
        output,
        Plan(split, samples, perturb, weighted, outcomes, with_cases),
        spec=str(predictions) if predictions else model,
        others={other: load_model(other, seed) for other in beside or ()},
    )
    for row in bad:
        typer.echo(f"bad row {row.row} ({row.case_id or 'no case_id'}): {row.reason}", err=True)
    say_failed([reply.error for reply in result.replies if reply.error], again=endpoint is not None)
    failed = broken(limits, result.metrics, gate) if gate else []
    report = output / "report.html"
    if form == "json":
        names = ("model", "n", "exact", "within_one", "no_parse", "high_acuity_sensitivity", "best_constant", "rows")
        told = {name: result.metrics[name] for name in names}
        print_json({**told, "report": str(report), "metrics": str(output / "metrics.json"), "broken_limits": failed})
    else:
        _say(result, split, cases)
        typer.echo(f"report: {report}")
    for line in failed:
        typer.echo(f"gate: {line}", err=True)
    if failed:
        raise typer.Exit(1)


def _say(result: "Evaluation", split: str | None, cases: Path) -> None:
    """The main figures beside the baselines, and what one must know to read them."""
    from ...evaluate.report.summary import compared
    from ...evaluate.scoring_log import in_words, log_of
    from ...page import interval

    m, rows = result.metrics, result.metrics["rows"]
    left_out = f"{rows['without_gold']} without a gold level left out, {rows['bad']} bad rows"
    left_out += f", {rows['other_split']} of other splits" if split else ""
    typer.echo(f"{result.model} on {m['n']} cases ({left_out})")
    if seen := m["splits"].get("train"):
        typer.echo(f"{seen} of them are of the split train, which a model may have learned by heart", err=True)
    if m["scale"] != "esi":
        typer.echo(
            f"gold levels are of the scale {m['scale']}, not ESI: never pool these figures with others", err=True
        )
    shares = {"exact": "exact", "high_acuity_sensitivity": "sensitivity 1-2", "within_one": "within one"}
    columns = compared(result.model, m)
    wide = max(len(name) for name in columns)
    typer.secho(f"  {'':{wide}}  {'  '.join(f'{title:22}' for title in shares.values())}".rstrip(), bold=True)
    for place, (name, row) in enumerate(columns.items()):
        told = "  ".join(f"{interval(row[share]):22}" for share in shares)
        typer.secho(f"  {name:{wide}}  {told}".rstrip(), bold=place == 0)
    typer.echo(f"no answer: {interval(m['no_parse'])} (counts as wrong)")
    if handed := m["hand_overs"].get("hand_over"):
        kept = handed["kept"]
        typer.echo(
            f"handed over: {interval(handed['handed_over'])}; of the answers that stand exact "
            f"{interval(kept['exact'])}, ESI 1-2 called 3-5 {interval(kept['missed_urgent'])}"
        )
    if unknown := m.get("outcomes", {}).get("not_recorded"):
        typer.echo(f"{m['outcomes']['file']}: no value for these cases, left out: {', '.join(unknown)}", err=True)
    for name, found in m.get("outcomes", {}).get("by_outcome", {}).items():
        less = found["rows"][result.model]["differences"]["auroc"]
        if less["value"] is not None:
            told = f"{less['value']:+.3f} ({less['low']:+.3f} to {less['high']:+.3f})"
            typer.echo(f"{name}: AUROC less the gold level's {told}, {found['events']} of {found['n']}")
    typer.echo(f"this set was scored {in_words(m['ledger'])} (noted in {log_of(cases)})")
