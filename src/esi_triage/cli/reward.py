"""`esi reward`: look at a reward design and score answers with it."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError

app = typer.Typer(help="Show reward designs and score answers with them.", no_args_is_help=True)

DesignName = Annotated[str, typer.Argument(help="v45c, v46, v47, v48, or a TOML file", metavar="DESIGN")]
Format = Annotated[str, typer.Option("--format", help="text or json")]


@app.command()
def show(design: DesignName, form: Format = "text") -> None:
    """Print a design: its table, what silence costs, and the bonuses with their terms.

    Example: esi reward show v46 --format json
    """
    from ..reward import load_design

    loaded = load_design(design)
    if form == "json":
        typer.echo(json.dumps(loaded.model_dump(), indent=2, ensure_ascii=False))
        return
    if form != "text":
        raise InputError(f"--format {form!r}: give text or json.")
    lines = [f"{loaded.name}: {loaded.about}", "", "            predicted 1      2      3      4      5"]
    for gold, row in enumerate(loaded.table, start=1):
        lines.append(f"  gold {gold}     " + "".join(f"{cell:+7.1f}" for cell in row))
    drawn = ", ".join(f"ESI-{level} ×{factor:g}" for level, factor in loaded.oversample.items() if factor != 1)
    lines += [
        "",
        f"  no answer     {loaded.no_parse:+.1f}",
        f"  format bonus  {loaded.format_bonus:+.1f}  for {loaded.format_means}, paid: {loaded.format_paid}",
        f"  length bonus  {loaded.length_bonus:+.1f}  up to {loaded.length_limit} tokens, {loaded.length_scale}, "
        f"paid: {loaded.length_paid}",
        f"  oversampling  {drawn or 'none'}",
    ]
    typer.echo("\n".join(lines))


@app.command()
def score(
    design: DesignName,
    gold: Annotated[int, typer.Option(help="the gold level, 1 to 5")],
    text: Annotated[str, typer.Option(help="file with the model's answer, or - for standard input")] = "-",
    tokens: Annotated[
        int | None, typer.Option(help="length in the model's tokens; default: words and punctuation marks", min=0)
    ] = None,
) -> None:
    """Score one answer: its level, whether the format is strict, and each part of the reward, as JSON.

    Example: echo "ANSWER: ESI 2" | esi reward score v46 --gold 2
    """
    from ..answer import parse
    from ..reward import approximate_tokens, load_design
    from ..reward import score as score_answer

    loaded = load_design(design)
    if gold not in range(1, 6):
        raise InputError(f"--gold {gold}: a gold level is 1 to 5.")
    completion = _read(text)
    answer = parse(completion)
    parts = score_answer(answer, gold, loaded, approximate_tokens(completion) if tokens is None else tokens)
    found = {"level": answer.level, "strict": answer.strict, **parts._asdict(), "total": parts.total}
    typer.echo(json.dumps(found))


def _read(place: str) -> str:
    if place == "-":
        return sys.stdin.buffer.read().decode("utf-8", errors="replace")
    try:
        return Path(place).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"--text {place}: cannot be read ({error.strerror}).") from None
