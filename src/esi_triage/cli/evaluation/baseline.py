"""`esi baseline`: simple models that a language model has to beat."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Fit simple models that a language model has to beat.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps `fit` a named subcommand."""


@app.command()
def fit(
    data: Annotated[Path, typer.Option(help="case table (.parquet or .jsonl) with a train split and gold levels")],
    output: Annotated[Path, typer.Option("--output", "-o", help="folder for the fitted models")],
    seed: Annotated[
        int, typer.Option(help="decides the random draw and which rows stop the boosting", min=0, max=2**32 - 1)
    ] = 0,
) -> None:
    """Fit baselines on the split `train` of a case table, the one that a language model trains on.

    tfidf reads the narrative (logistic regression), boosting reads vital signs, age, sex, arrival and complaint
    (gradient-boosted trees), random draws by the levels' shares. The rules and the constants need no fitting. The
    folder holds words of the training text: it is as private as that text.

    Example: esi baseline fit --data cases.parquet --output baselines && esi evaluate --model baseline:baselines/tfidf
    --cases held_out.parquet --output baselines/held-out
    """
    from ...predict.baselines.fitted import NAMES, fit_baselines

    about = fit_baselines(data, output, seed)
    shares = ", ".join(f"ESI-{level} {share:.1%}" for level, share in enumerate(about["shares"], start=1))
    typer.echo(f"fitted on {about['cases']} cases of the split train ({shares}); data: {about['licence']}")
    for name in NAMES:
        typer.echo(f"  --model baseline:{output / name}")
