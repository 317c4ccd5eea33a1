"""`esi calibrate`: what a model's probabilities are worth, from labelled tuning cases."""

from pathlib import Path
from typing import Annotated

import typer

from ..score import Agreement, Endpoint, Fast, ModelName, Parallel, Parameters, Rate, Seed, Timeout


def calibrate(
    model: ModelName,
    cases: Annotated[Path, typer.Option(help="labelled cases of the tuning split (.parquet or .jsonl)")],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="calibration to write (.json); calibration.json in the model's folder is found"
        ),
    ],
    seed: Seed = None,
    fast: Fast = False,
    endpoint: Endpoint = None,
    agreement: Agreement = None,
    rate: Rate = None,
    parallel: Parallel = 8,
    timeout: Timeout = 300,
    parameter: Parameters = None,
) -> None:
    """Fit a model's temperature and the limits of its sets, alone and beside the rules, on tuning cases.

    Then says what each reason to hand over costs on these cases when the guard uses the model. Rows of the split train
    or held_out are left out: the model knows the first, and the second are for the test.

    Example: esi calibrate --model reader --cases tuning.parquet -o calibration.json
    """
    from ...atomic_files import refuse_overwriting
    from ...predict.guard.conformal import COVERAGES, cases_needed
    from ...predict.guard.cost_of_reasons import table_of
    from ...predict.guard.tuning import calibrate_file

    refuse_overwriting([output], cases)
    options = {"rate": rate, "parallel": parallel, "timeout": timeout}
    done = calibrate_file(model, cases, output, seed, fast, endpoint, agreement, parameter or (), options)
    made = done.calibration
    typer.echo(f"{made.model}: {made.n} cases of {made.cases} ({done.left_out} rows left out)")
    for name, fitted in (("alone", made.alone), ("with the rules", made.with_rules)):
        typer.echo(
            f"  {name}: temperature {fitted.temperature:.3g}, Brier {fitted.brier_before:.3f} before, "
            f"{fitted.brier_after:.3f} after"
        )
    for level, n in enumerate(made.by_level, start=1):
        for coverage in COVERAGES:
            if n < cases_needed(coverage):
                typer.echo(
                    f"  ESI {level}: {n} cases, fewer than the {cases_needed(coverage)} that a set at {coverage:.0%} "
                    f"needs: every such set holds ESI {level}"
                )
    typer.echo("What each reason to hand over costs, on the cases of the fit (so the figures flatter the model):")
    for line in table_of(done.costs):
        typer.echo(f"  {line}")
    typer.echo(f"written: {output}")
