"""`esi reward`: look at a reward design, audit it, and score answers with it."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from .reward_compare import compare
from .reward_repair import repair
from .reward_simulate import simulate

app = typer.Typer(
    help="Show, audit, compare, repair and simulate reward designs, and score answers with them.", no_args_is_help=True
)

DesignName = Annotated[str, typer.Argument(help="audited, v45c, v46, v47, v48, or a TOML file", metavar="DESIGN")]
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
    labels = [loaded.label(level) for level in loaded.levels]
    width = max(7, *(len(label) + 2 for label in labels))
    lines = [
        f"{loaded.name}: {loaded.about}",
        "",
        f"{'gold / predicted':18}" + "".join(f"{x:>{width}}" for x in labels),
    ]
    for label, row in zip(labels, loaded.table, strict=True):
        lines.append(f"  {label:16}" + "".join(f"{cell:+{width}.2f}" for cell in row))
    drawn = ", ".join(
        f"{loaded.label(level)} ×{factor:g}" for level, factor in loaded.oversample.items() if factor != 1
    )
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
def audit(
    design: DesignName,
    prior: Annotated[
        str | None,
        typer.Option(help="natural shares: mimic-iv-ed (the default for five levels), uniform, or p1,p2,..."),
    ] = None,
    confusion: Annotated[
        Path | None,
        typer.Option(help="the warm start's confusion: a JSON file of counts, or an evaluated run's folder"),
    ] = None,
    skill: Annotated[
        float | None, typer.Option(help="share of exact answers of an assumed warm start; default 0.65, the card's v43")
    ] = None,
    cut: Annotated[float, typer.Option(help="share of answers cut at the token limit, which score as no answer")] = 0.0,
    group_size: Annotated[int, typer.Option(help="answers that GRPO compares")] = 8,
    fail_on: Annotated[str, typer.Option(help="exit with 1 from this severity on: note, warning or error")] = "error",
    form: Annotated[str, typer.Option("--format", help="text, json or html")] = "text",
    output: Annotated[Path | None, typer.Option(help="write there instead; html needs it")] = None,
) -> None:
    """Find out how a design can be gamed before it is trained: exact arithmetic on its table, no sampling.

    error: a lazy or silent policy is optimal in its class. warning: an incentive that longer training can mine. note:
    the rest. Exit code 1 when a finding reaches --fail-on, 2 for bad input.

    Example: esi reward audit v45c --fail-on warning
    """
    from ..files import write_text
    from ..reward import audit as audit_design
    from ..reward import load_design
    from ..reward.audit.text import as_text
    from ..reward.policy import SKILL, cut_off, default_prior, read_confusion, read_prior, warm_start

    if form not in ("text", "json", "html"):
        raise InputError(f"--format {form!r}: give text, json or html.")
    if form == "html" and output is None:
        raise InputError("--format html: give --output FILE, the page to write.")
    if fail_on not in ("note", "warning", "error"):
        raise InputError(f"--fail-on {fail_on!r}: give note, warning or error.")
    if confusion is not None and skill is not None:
        raise InputError("--skill and --confusion: give one, the assumed warm start's skill or the measured confusion.")
    loaded = load_design(design)
    n = len(loaded.table)
    shares = read_prior(prior or default_prior(n), n)
    policy = read_confusion(confusion, n) if confusion else warm_start(shares, SKILL if skill is None else skill)
    found = audit_design(loaded, shares, cut_off(policy, cut), group_size)
    if form == "html" and output is not None:
        from ..reward.compare import write_html

        write_html([found], output)
    else:
        text = json.dumps(found.to_dict(), indent=2, ensure_ascii=False) if form == "json" else as_text(found)
        typer.echo(text) if output is None else write_text(output, text + "\n")
    if found.reaches(fail_on):
        raise typer.Exit(1)


@app.command()
def score(
    design: DesignName,
    gold: Annotated[int, typer.Option(help="the gold level, 1 to as many as the design has")],
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
    if gold not in loaded.levels:
        raise InputError(f"--gold {gold}: a gold level of {loaded.name} is 1 to {len(loaded.table)}.")
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


app.command()(compare)
app.command()(repair)
app.command()(simulate)
