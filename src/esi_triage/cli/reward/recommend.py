"""`esi reward recommend`: which reward to train with."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...errors import InputError
from .options import Prior, TextOrJson, deliver, json_text

if TYPE_CHECKING:
    import numpy as np

Data = Annotated[
    Path | None, typer.Option(help="a case table: the shares of the levels are those of its labelled rows")
]
Costs = Annotated[
    Path | None,
    typer.Option(help="a TOML file with what each answer costs, a row for each level; default: ours, for five levels"),
]


def recommend_design(
    data: Data = None,
    costs: Costs = None,
    prior: Prior = None,
    skill: Annotated[float, typer.Option(help="share of exact answers of the warm start")] = 0.65,
    output: Annotated[Path | None, typer.Option(help="write the design there, as TOML")] = None,
    form: TextOrJson = "text",
) -> None:
    """Recommend a reward design, its sampling and its trainer settings, with the expected outcome beside v46's.

    Example: esi reward recommend --data cases.parquet --costs costs.toml --skill 0.6 --output mine.toml
    """
    from ...atomic_files import refuse_overwriting, write_text
    from ...evaluate.statistics.costs import load_costs
    from ...reward.policy import default_prior, read_prior, warm_start
    from ...reward.recommendation import recommend, recommendation_as_json, recommendation_as_text
    from ...reward.repair import design_as_toml

    if data is not None and prior is not None:
        raise InputError("--data and --prior: give one, a case table or the shares of the levels.")
    prior = prior or (default_prior(5) if data is None else None)
    refuse_overwriting([output] if output else [], data, costs)
    n = 5 if data is not None or prior in ("mimic-iv-ed", "uniform") else str(prior).count(",") + 1
    shares = _shares(data) if data is not None else read_prior(str(prior), n)
    if costs is None and n != 5:
        raise InputError(
            f"--prior {prior}: {n} shares, our costs are for five levels; give --costs FILE with a table of {n} rows."
        )
    found = recommend(shares, load_costs(costs, n), warm_start(shares, skill))
    deliver(recommendation_as_text(found) if form == "text" else json_text(recommendation_as_json(found)))
    if output is not None:
        write_text(output, design_as_toml(found[0].design))


def _shares(data: Path) -> "np.ndarray":
    """The shares of the levels among the labelled rows; a level without any is InputError."""
    import numpy as np

    from ...data.case_table import read_cases

    cases, _ = read_cases(data)
    counts = np.bincount([case.gold for case in cases if case.gold is not None], minlength=6)[1:]
    if not counts.all():
        missing = int(np.flatnonzero(counts == 0)[0]) + 1
        raise InputError(f"{data}: no labelled case of level {missing}; give the shares with --prior instead.")
    return counts / counts.sum()
