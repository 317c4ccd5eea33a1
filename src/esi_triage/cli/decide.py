"""`esi decide`: findings that somebody else read, decided by the rules."""

from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from ..notice import NOTICE
from ..reading import file_text, json_value, standard_input
from .explain import Handbook, print_decision
from .output import TextOrJson, print_json


def decide(
    findings: Annotated[Path | None, typer.Option(help="JSON file of findings; - reads standard input")] = None,
    schema: Annotated[bool, typer.Option("--schema", help="print the JSON schema of the findings and stop")] = False,
    version: Handbook = "v5",
    form: TextOrJson = "text",
) -> None:
    """Decide an ESI level from structured findings: any extractor may do the reading, the rules do the deciding.

    Example: esi decide --findings findings.json
    """
    from ..esi import decide as decide_level
    from ..esi import findings_from, findings_schema

    if schema:
        print_json(findings_schema())
        return
    if findings is None:
        raise InputError("give --findings FILE, or --schema for what the file holds.")
    where = "standard input" if str(findings) == "-" else str(findings)
    text = standard_input() if str(findings) == "-" else file_text(findings, advice="Give a JSON file of findings.")
    values = json_value(text, where)
    try:
        read = findings_from(values)
    except ValueError as error:
        raise InputError(f"{where}: " + f"\n{where}: ".join(str(error).splitlines())) from None
    decision = decide_level(read, version)
    if form == "json":
        print_json({"decision": decision.to_dict(), "notice": NOTICE})
        return
    print_decision(decision)
    typer.echo(NOTICE)
