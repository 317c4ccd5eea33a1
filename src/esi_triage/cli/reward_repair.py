"""`esi reward repair`: the smallest change to a table that removes what its audit finds."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError


def repair(
    design: Annotated[str, typer.Argument(help="a shipped design (v45c, v46, …) or a TOML file", metavar="DESIGN")],
    severity: Annotated[
        str, typer.Option(help="remove findings from this severity on: note, warning or error")
    ] = "warning",
    freeze: Annotated[
        list[str] | None, typer.Option(help="a cell that keeps its value: gold,predicted or none; may be repeated")
    ] = None,
    prior: Annotated[
        list[str] | None, typer.Option(help="natural shares, as for audit; repeated: it holds under each")
    ] = None,
    skill: Annotated[
        list[float] | None,
        typer.Option(help="exact share of the warm start, default 0.65; repeated: it holds under each"),
    ] = None,
    factors: Annotated[
        str | None, typer.Option(help="class factors to draw with instead of the design's: f1,f2,…")
    ] = None,
    margin: Annotated[float, typer.Option(help="by how much what must be better is better, in units of reward")] = 0.05,
    group_size: Annotated[int, typer.Option(help="answers that GRPO compares")] = 8,
    output: Annotated[Path | None, typer.Option(help="write the repaired design there, as TOML")] = None,
    form: Annotated[str, typer.Option("--format", help="text or json")] = "text",
) -> None:
    """Find the smallest change to a table that removes the audit's findings (a linear program), and print it.

    Smallest in the sum of the changes, then in the largest. A few conditions are not linear: stronger linear ones stand
    in for them, and the repaired table is audited again. Exit code 1 where no table will do, or something is left.

    Example: esi reward repair v46 --factors 1,1,1,1,1 --freeze 1,1 --output mine.toml
    """
    from ..files import write_text
    from ..reward.design import load_design
    from ..reward.policy import SKILL, default_prior, read_prior, warm_start
    from ..reward.repair import as_json, as_text, as_toml
    from ..reward.repair import repair as repaired

    if form not in ("text", "json"):
        raise InputError(f"--format {form!r}: give text or json.")
    if severity not in ("note", "warning", "error"):
        raise InputError(f"--severity {severity!r}: give note, warning or error.")
    loaded = load_design(design)
    n = len(loaded.table)
    if factors is not None:
        loaded = loaded.model_copy(update={"oversample": _factors(factors, n)})
    priors = [read_prior(text, n) for text in prior or [default_prior(n)]]
    worlds = [(shares, warm_start(shares, each)) for shares in priors for each in skill or [SKILL]]
    result = repaired(loaded, worlds, severity, [_cell(text) for text in freeze or []], margin, group_size)
    typer.echo(json.dumps(as_json(result), indent=2, ensure_ascii=False) if form == "json" else as_text(result))
    if output is not None and result.after is not None:
        write_text(output, as_toml(result))
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
