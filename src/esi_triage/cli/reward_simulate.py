"""`esi reward simulate`: what a design does to a policy over training, in seconds."""

import json
from typing import Annotated

import typer

from ..errors import InputError


def simulate(
    designs: Annotated[
        list[str], typer.Argument(help="shipped designs (v45c, v46, …) or TOML files", metavar="DESIGN…")
    ],
    steps: Annotated[int, typer.Option(help="optimizer steps, one prompt each", min=1)] = 750,
    seeds: Annotated[int, typer.Option(help="independent runs of each design", min=2)] = 20,
    skill: Annotated[float, typer.Option(help="exact share of the warm start's sampled answers")] = 0.65,
    cut: Annotated[float, typer.Option(help="share of its rollouts over the token limit; 0: lengths left out")] = 0.0,
    insight: Annotated[
        float, typer.Option(help="share of cases that long thinking reads without error; needs --cut", min=0, max=1)
    ] = 0.0,
    shared: Annotated[
        bool,
        typer.Option("--shared/--table", help="half of each step moves all answers alike, as in a network; or none"),
    ] = True,
    prior: Annotated[
        str | None,
        typer.Option(help="natural shares: mimic-iv-ed, uniform, or p1,p2,…; default mimic-iv-ed at 5 levels"),
    ] = None,
    ingredients: Annotated[
        bool,
        typer.Option("--ingredients", help="instead, try every combination of these and more; under a minute a design"),
    ] = False,
    form: Annotated[str, typer.Option("--format", help="text or json")] = "text",
) -> None:
    """Train the smallest policy there is with each design, and show what it answers under way.

    Logits over the levels and silence, for each reading of an ambiguous case, are moved by GRPO's update. It shows
    what a design gives an incentive for, and is no evidence about a language model. v47 is v46 with --steps 1500.

    Example: esi reward simulate v45c v46 v48
    """
    from ..reward.design import load_design
    from ..reward.policy import default_prior, read_prior
    from ..reward.simulate import Regime
    from ..reward.simulate import ingredients as try_all
    from ..reward.simulate import simulate as train
    from ..reward.simulate.words import as_json, as_text, ingredients_as_json, ingredients_as_text

    if form not in ("text", "json"):
        raise InputError(f"--format {form!r}: give text or json.")
    loaded = [load_design(design) for design in designs]
    n = len(loaded[0].table)
    shares = read_prior(prior or default_prior(n), n)
    if ingredients:
        tried = [(design, try_all(design, shares, steps, seeds)) for design in loaded]
        if form == "json":
            typer.echo(json.dumps([ingredients_as_json(*one) for one in tried], indent=2, ensure_ascii=False))
        else:
            typer.echo("\n\n".join(ingredients_as_text(*one) for one in tried))
        return
    regime = Regime(skill=skill, shared=0.5 if shared else 0.0, cut=cut, insight=insight)
    courses = train([(design, regime) for design in loaded], shares, steps, seeds)
    typer.echo(json.dumps(as_json(courses), indent=2, ensure_ascii=False) if form == "json" else as_text(courses))
