"""`esi plan`: memory and time of an experiment, before it is started."""

from typing import Annotated, Any

import typer

from ..output import TextOrJson, print_json
from .train import Base, Profile


def plan(
    experiment: Annotated[str, typer.Argument(help="v43, v45c, v46, v47, v48, or a TOML file")],
    base: Base = "tiny",
    profile: Profile = "full",
    gpus: Annotated[str, typer.Option(help="NxNAME, e.g. 1xH100, 8xH100, 1xGB10; or cpu")] = "1xH100",
    form: TextOrJson = "text",
) -> None:
    """Say what an experiment needs: memory and step time as arithmetic, with its assumptions. Nothing is loaded.

    Example: esi plan v46 --base qwen3.5-9b --profile gpu80 --gpus 1xH100
    """
    from ...train.experiment import load_experiment
    from ...train.plan.plan import plan as planned

    found = planned(load_experiment(experiment, base, profile), gpus)
    print_json(found) if form == "json" else typer.echo(_text(found))


def _text(found: dict[str, Any]) -> str:
    device, fits = found["device"], "fits" if found["fits"] else "does not fit"
    return "\n".join(
        [
            f"{found['experiment']} on {found['base']} ({found['profile']}), {device['count']} x {device['name']}",
            f"\nmemory, GB a device ({fits} in {device['memory_gb']}):",
            *(f"  {name:16} {value:8.2f}" for name, value in found["memory_gb"].items() if value),
            "\ntime, seconds a step:",
            *(f"  {name:16} {value:8.2f}" for name, value in found["step_seconds"].items() if value),
            f"  {found['hours']:.1f} hours in all",
            "\nassumed:",
            *(f"  {name} = {value}" for name, value in found["assumptions"].items()),
        ]
    )
