"""`esi doctor`: is this machine ready, and for what?"""

import typer


def doctor() -> None:
    """Check what is installed and which bases can be used here; exit code 1 where something needed is missing."""
    from ..doctor import examine

    checks = examine()
    for check in checks:
        typer.echo(f"{check.mark:8} {check.what}: {check.found}")
        if check.fix:
            typer.echo(f"{'':8} -> {check.fix}")
    if any(check.mark == "MISSING" for check in checks):
        raise typer.Exit(1)
