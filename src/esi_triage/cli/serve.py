"""`esi serve`: the page, the API, CDS Hooks and the decision log in one process."""

from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from ..notice import NOTICE


def serve(
    host: Annotated[str | None, typer.Option(help="address to listen on [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="port, 0 for any free one [default: 8000]")] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="what `esi triage --model` takes [default: guard]")
    ] = None,
    log: Annotated[Path | None, typer.Option("--log", help="the decision log [default: esi-decisions.sqlite]")] = None,
    settings: Annotated[Path | None, typer.Option(help="TOML file of settings")] = None,
    print_settings: Annotated[
        bool, typer.Option("--print-settings", help="print the settings with what each means, and stop")
    ] = False,
) -> None:
    """Serve the page and the API on this machine; no advice leaves before it is in the decision log (docs/service.md).

    Beyond this machine it listens only with a token (server.token_file, or the variable ESI_SERVE_TOKEN).

    Example: esi serve --port 8000 --log decisions.sqlite
    """
    try:
        from ..serve.serving import run_service
        from ..serve.settings import default_settings_text, load_settings
    except ModuleNotFoundError as error:
        raise InputError(f"the service needs {error.name}; install it with pip install 'esi-triage[serve]'.") from None
    options = {
        "server": {"host": host, "port": port},
        "model": {"name": model},
        "log": {"file": str(log) if log else None},
    }
    resolved = load_settings(settings, options)
    if print_settings:
        import tomli_w

        changed = settings is not None or any(
            value is not None for group in options.values() for value in group.values()
        )
        typer.echo(tomli_w.dumps(resolved.model_dump()) if changed else default_settings_text(), nl=False)
        return
    typer.echo(NOTICE, err=True)
    run_service(resolved)
