"""`esi data agree`: where the open corpus and the rules engine part."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def agree(
    n: Annotated[int, typer.Option(min=1, help="how many cases of the open corpus")] = 2000,
    seed: Annotated[int, typer.Option(help="which cases")] = 0,
    split: Annotated[
        Literal["train", "tuning", "held_out"] | None,
        typer.Option(help="only the presentations of this split [default: all]"),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="write every disagreement to this JSON")] = None,
    top: Annotated[int, typer.Option(min=0, help="how many scenarios to list")] = 20,
) -> None:
    """Hold the levels of the open corpus against the rules engine, where the engine is decided.

    Example: esi data agree --n 5000 --output agreement.json
    """
    from ...atomic_files import write_json
    from ...data.corpus.engine_agreement import agreement
    from ...data.corpus.vignettes import open_cases
    from ...progress import bar

    with bar("agreement", n, "case") as shown:

        def counted():
            for case in open_cases(n, seed):
                if split in (None, case.split):
                    yield case
                shown.update()

        found = agreement(counted())
    typer.echo(f"{found.cases} cases, the engine is decided on {found.decided}; it agrees on {100 * found.rate:.1f} %.")
    typer.echo(f"The gold is among the levels that the engine holds possible in {found.within_possible};")
    typer.echo(f"{found.judged} reference answers have a step written as the nurse's judgement.")
    for scenario, times in found.by_scenario()[:top]:
        typer.echo(f"  {times:4d}  {scenario}")
    if output is not None:
        write_json(output, found.to_dict())
        typer.echo(f"written  {output}")
