"""`esi doctor`: is this machine ready, and for what?"""

from dataclasses import asdict

import typer

from .output import TextOrJson, is_quiet, print_json


def doctor(form: TextOrJson = "text") -> None:
    """Check what is installed and which bases can be used here; exit code 1 where something needed is missing."""
    from ..doctor import examine

    checks = examine()
    if form == "json":
        print_json([asdict(check) for check in checks])
    for check in () if form == "json" else checks:
        if is_quiet() and check.mark != "MISSING":
            continue
        typer.echo(f"{check.mark:8} {check.what}: {check.found}")
        if check.fix:
            typer.echo(f"{'':8} -> {check.fix}")
    if any(check.mark == "MISSING" for check in checks):
        raise typer.Exit(1)
