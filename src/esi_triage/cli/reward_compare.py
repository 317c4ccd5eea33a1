"""`esi reward compare`: designs side by side."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError


def compare(
    designs: Annotated[
        list[str], typer.Argument(help="shipped designs (v45c, v46, …) or TOML files", metavar="DESIGN…")
    ],
    prior: Annotated[
        str | None,
        typer.Option(help="natural shares: mimic-iv-ed (the default for five levels), uniform, or p1,p2,..."),
    ] = None,
    skill: Annotated[float, typer.Option(help="share of exact answers of the assumed warm start")] = 0.65,
    cut: Annotated[float, typer.Option(help="share of answers cut at the token limit, which score as no answer")] = 0.0,
    group_size: Annotated[int, typer.Option(help="answers that GRPO compares")] = 8,
    form: Annotated[str, typer.Option("--format", help="text, json or html")] = "text",
    output: Annotated[Path | None, typer.Option(help="write there instead; html needs it")] = None,
) -> None:
    """Hold designs side by side: verdicts, findings by check, tables; as HTML with heat maps, belief maps and curves.

    Example: esi reward compare v46 v48 audited --format html --output designs.html
    """
    from ..files import write_text
    from ..reward import audit, load_design
    from ..reward.compare import as_json, as_text, write_html
    from ..reward.policy import cut_off, default_prior, read_prior, warm_start

    if form not in ("text", "json", "html"):
        raise InputError(f"--format {form!r}: give text, json or html.")
    if form == "html" and output is None:
        raise InputError("--format html: give --output FILE, the page to write.")
    loaded = [load_design(design) for design in designs]
    n = len(loaded[0].table)
    shares = read_prior(prior or default_prior(n), n)
    policy = cut_off(warm_start(shares, skill), cut)
    audits = [audit(design, shares, policy, group_size) for design in loaded]
    if form == "html" and output is not None:
        write_html(audits, output)
        return
    text = as_text(audits) if form == "text" else json.dumps(as_json(audits), indent=2, ensure_ascii=False)
    if output is None:
        typer.echo(text)
    else:
        write_text(output, text + "\n")
