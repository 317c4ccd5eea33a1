"""`esi reward repair`: the smallest change to a table that removes what its audit finds."""

from pathlib import Path
from typing import Annotated

import typer

from ...errors import InputError
from .options import DesignName, GroupSize, Scale, Severe, TextOrJson, deliver, json_text

Severity = Annotated[Severe, typer.Option(help="remove findings from this severity on")]
Freeze = Annotated[
    list[str] | None, typer.Option(help="a cell that keeps its value: gold,predicted or none; may be repeated")
]
Priors = Annotated[
    list[str] | None, typer.Option(help="shares in deployment, as for audit; repeated: it holds under each")
]
Skills = Annotated[
    list[float] | None,
    typer.Option(help="exact share of the warm start, default 0.65; repeated: it holds under each"),
]
Factors = Annotated[str | None, typer.Option(help="class factors to draw with instead of the design's: f1,f2,…")]
Margin = Annotated[float, typer.Option(help="by how much what must be better is better, in units of a row's spread")]


def repair_design(
    design: DesignName,
    severity: Severity = "warning",
    freeze: Freeze = None,
    prior: Priors = None,
    skill: Skills = None,
    factors: Factors = None,
    margin: Margin = 0.05,
    group_size: GroupSize = 8,
    scale: Scale = "group",
    output: Annotated[Path | None, typer.Option(help="write the repaired design there, as TOML")] = None,
    form: TextOrJson = "text",
) -> None:
    """Find the smallest change to a table that removes the audit's findings (a linear program), and print it.

    Smallest in the sum of the changes, then in the largest. On either side of gold a nearer answer keeps paying no less
    than a farther one. A few conditions are not linear: linear ones stand in for them, and the repaired table is
    audited again. Exit code 1 where no table will do, or something is left.

    Example: esi reward repair v46 --factors 1,1,1,1,1 --freeze 1,1 --output mine.toml
    """
    from ...atomic_files import refuse_overwriting, write_text
    from ...reward.design import LARGEST, load_design
    from ...reward.policy import SKILL, default_prior, read_prior, warm_start
    from ...reward.repair import repair, repair_as_json, repair_as_text, repair_as_toml

    if not 0 <= margin <= LARGEST:
        raise InputError(f"--margin {margin:g}: give a number from 0 to {LARGEST:,}, in units of reward.")
    refuse_overwriting([output] if output else [], Path(design))
    loaded = load_design(design)
    n = len(loaded.table)
    if factors is not None:
        loaded = loaded.model_copy(update={"oversample": _factors(factors, n)})
    priors = [read_prior(text, n) for text in prior or [default_prior(n)]]
    worlds = [(shares, warm_start(shares, each)) for shares in priors for each in skill or [SKILL]]
    result = repair(loaded, worlds, severity, [_cell(text) for text in freeze or []], margin, group_size, scale)
    deliver(repair_as_text(result) if form == "text" else json_text(repair_as_json(result)))
    if output is not None and result.after is not None:
        write_text(output, repair_as_toml(result))
    if result.after is None or result.left:
        raise typer.Exit(1)


def _cell(text: str) -> tuple[int, int] | None:
    if text == "none":
        return None
    try:
        gold, predicted = (int(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--freeze {text}: give gold,predicted (such as 2,3) or none.") from None
    return gold, predicted


def _factors(text: str, n: int) -> dict[int, float]:
    try:
        factors = [float(part) for part in text.split(",")]
    except ValueError:
        factors = []
    if len(factors) != n or not all(0 < factor < float("inf") for factor in factors):
        raise InputError(f"--factors {text}: give {n} numbers above 0, joined by commas.")
    return dict(enumerate(factors, start=1))
