"""`esi triage`: one narrative."""

import json
import sys
from typing import Annotated

import typer

from ..errors import InputError
from ..notice import NOTICE
from .score import Seed


def triage(
    narrative: Annotated[str, typer.Argument(help="the triage narrative, in quotes; - reads standard input")],
    model: Annotated[
        str, typer.Option("--model", "-m", help="rules, a run folder, an adapter, a base, or constant:1 to constant:5")
    ] = "rules",
    form: Annotated[str, typer.Option("--format", help="text or json")] = "text",
    seed: Seed = None,
) -> None:
    """Assign an ESI level to one narrative and show how it was reached.

    Example: esi triage "54 y/o M, chest pain radiating to the left arm, sweating. BP 150/90, HR 104, SpO2 96 %"
    """
    from ..esi import Level
    from ..predict import load_model

    if form not in ("text", "json"):
        raise InputError(f"--format {form!r}: give text or json.")
    text = sys.stdin.read() if narrative == "-" else narrative
    if not text.strip():
        raise InputError("the narrative is empty; write what the triage nurse knows, e.g. complaint and vital signs.")
    loaded = load_model(model, seed)
    (reply,) = loaded.answer([text], lambda _: None)
    meaning = Level(reply.level).meaning if reply.level else "no level could be read from the model's answer"
    if form == "json":
        from ..answer import lines_of

        found = {
            "level": reply.level,
            "meaning": meaning,
            "answer": reply.text,
            "steps": lines_of(reply.text),
            "probabilities": reply.probabilities,
            "strict": reply.strict,
            "truncated": reply.truncated,
            "model": loaded.name,
            "notice": NOTICE,
        }
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    typer.echo(reply.text)
    if model == "rules":
        from ..esi import read
        from .explain import print_reading

        typer.echo()
        print_reading(text, read(text))
    if model != "rules":
        typer.echo()
    typer.echo(f"{'ESI ' + str(reply.level) if reply.level else 'No level'}: {meaning}  (model: {loaded.name})")
    typer.echo(NOTICE)
