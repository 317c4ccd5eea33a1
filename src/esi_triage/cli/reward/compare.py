"""`esi reward compare`: designs side by side."""

from typing import Annotated

import typer

from .options import (
    Cut,
    DesignNames,
    GroupSize,
    Output,
    Prior,
    Scale,
    TextJsonOrHtml,
    deliver,
    json_text,
    page_file,
)


def compare_designs(
    designs: DesignNames,
    prior: Prior = None,
    skill: Annotated[float, typer.Option(help="share of exact answers of the assumed warm start")] = 0.65,
    cut: Cut = 0.0,
    group_size: GroupSize = 8,
    scale: Scale = "group",
    form: TextJsonOrHtml = "text",
    output: Output = None,
) -> None:
    """Hold designs side by side: verdicts, findings by check, tables; as HTML with heat maps, belief maps and curves.

    Example: esi reward compare v46 v48 audited --format html --output designs.html
    """
    from ...reward import audit, load_design
    from ...reward.comparison import comparison_as_json, comparison_as_text, write_html
    from ...reward.policy import cut_off, default_prior, read_prior, warm_start

    page = page_file(form, output, *designs)
    loaded = [load_design(design) for design in designs]
    n = len(loaded[0].table)
    shares = read_prior(prior or default_prior(n), n)
    policy = cut_off(warm_start(shares, skill), cut)
    audits = [audit(design, shares, policy, group_size, scale) for design in loaded]
    if page is not None:
        write_html(audits, page)
    else:
        deliver(comparison_as_text(audits) if form == "text" else json_text(comparison_as_json(audits)), output)
