"""`esi models`: the models that ship, what they were trained on, and what they reached."""

from typing import Any

import typer

from ..output import TextOrJson, print_json


def models(form: TextOrJson = "text") -> None:
    """List the models that ship with the package: base, training data, what each reached, and whether it can answer.

    Example: esi models
    """
    from ...predict.load import READER
    from ...predict.model_files import calibration_beside, shipped_models
    from ...train.reader.minilm import minilm_missing

    shipped = shipped_models()
    if form == "json":
        print_json({name: each.model_dump() for name, each in shipped.items()})
        return
    typer.secho(
        "guard (the default): the rules, findings and reader together; guard:MODEL with another model", bold=True
    )
    typer.echo("  its figures stand under the model that it puts beside the rules")
    typer.secho("rules: the ESI engine, without training", bold=True)
    for name, each in shipped.items():
        fast = "calibrated for --fast" if calibration_beside(name, fast=True) else "not calibrated"
        calibrated = "calibrated" if calibration_beside(name) else fast
        typer.secho(f"{name}: {each.kind} on {each.base}, {calibrated}", bold=True)
        for said in each.trained_on if isinstance(each.trained_on, list) else [each.trained_on]:
            typer.echo(f"  trained on  {said}")
        for where, what in each.reached.items():
            typer.echo(f"  {where}:\n    {_plain(what)}")
    if shipped:
        typer.echo("QWK is quadratic-weighted kappa; kept are the answers that stand, the others go to a person.")
    else:
        typer.echo("no model ships with this installation")
    if READER in shipped and (problem := minilm_missing()):
        typer.echo(f"note: {problem}; until then findings answers in its place", err=True)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {_plain(each)}" for name, each in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
