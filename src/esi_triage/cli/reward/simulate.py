"""`esi reward simulate`: what a design does to a policy over training, in seconds."""

import runpy
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from ...errors import InputError
from .options import DesignNames, Prior, Scale, TextOrJson, deliver, json_text

Steps = Annotated[int, typer.Option(help="optimizer steps, one prompt each", min=1)]
Seeds = Annotated[int, typer.Option(help="independent runs of each design", min=2)]
Cut = Annotated[float, typer.Option(help="share of its rollouts over the token limit; 0: lengths left out")]
Insight = Annotated[
    float, typer.Option(help="share of cases that long thinking reads without error; needs --cut", min=0, max=1)
]
Shared = Annotated[
    bool,
    typer.Option("--shared/--table", help="half of each step moves all answers alike, as in a network; or none"),
]
Baseline = Annotated[
    Literal["group", "clamped"],
    typer.Option(help="group's mean, or never below the best wrong answer in it, so that none is reinforced"),
]
Ingredients = Annotated[
    bool,
    typer.Option("--ingredients", help="instead, try every combination of these and more; under a minute a design"),
]
_SEARCH = Path(__file__).parents[4] / "benchmarks" / "ingredients.py"


def simulate_designs(
    designs: DesignNames,
    steps: Steps = 750,
    seeds: Seeds = 20,
    skill: Annotated[float, typer.Option(help="exact share of the warm start's sampled answers")] = 0.65,
    cut: Cut = 0.0,
    insight: Insight = 0.0,
    shared: Shared = True,
    scale: Scale = "group",
    baseline: Baseline = "group",
    prior: Prior = None,
    ingredients: Ingredients = False,
    form: TextOrJson = "text",
) -> None:
    """Train the smallest policy there is with each design, and show what it answers under way.

    Logits over the levels and abstention, for each reading of an ambiguous case, are moved by GRPO's update. It shows
    what a design gives an incentive for, and is no evidence about a language model. v47 is v46 with --steps 1500.

    Example: esi reward simulate v45c v46 v48
    """
    from ...reward.design import load_design
    from ...reward.policy import default_prior, read_prior
    from ...reward.simulate import Regime, simulate
    from ...reward.simulate.simulation_text import simulations_as_json, simulations_as_text

    loaded = [load_design(design) for design in designs]
    n = len(loaded[0].table)
    shares = read_prior(prior or default_prior(n), n)
    if ingredients:
        deliver(_search()["report"](loaded, shares, steps, seeds, as_json=form == "json"))
        return
    regime = Regime(skill=skill, shared=0.5 if shared else 0.0, cut=cut, insight=insight)
    regime = replace(regime, by_spread=scale == "group", clamped=baseline == "clamped")
    courses = simulate([(design, regime) for design in loaded], shares, steps, seeds)
    deliver(simulations_as_text(courses) if form == "text" else json_text(simulations_as_json(courses)))


def _search() -> dict:
    """The benchmark that tries every combination: it comes with the source, not with the installed package."""
    if not _SEARCH.is_file():
        raise InputError("--ingredients: needs benchmarks/ingredients.py; run it from a clone of the repository.")
    return runpy.run_path(str(_SEARCH))
