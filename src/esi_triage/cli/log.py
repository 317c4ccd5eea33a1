"""`esi log`: verify, export and look at the decision log of the service."""

import glob
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from .output import TextOrJson, print_json

app = typer.Typer(help="Verify, export and look at the decision log of `esi serve`.", no_args_is_help=True)

LogFile = Annotated[Path, typer.Argument(metavar="FILE", help="the decision log; it may be in use")]
ArchiveFile = Annotated[Path | None, typer.Option("--archive", help="where its archive is [default: beside it]")]


@app.command()
def verify(
    file: LogFile,
    archive: ArchiveFile = None,
    seen: Annotated[
        str | None, typer.Option(help="SEQUENCE:HASH that `esi log head` printed earlier; it must still be there")
    ] = None,
    form: TextOrJson = "text",
) -> None:
    """Compute every hash again. Exits with 0 only where the chain holds; else it names the first bad row.

    A chain does not show that its end was cut off, or that all of it was written anew: keep heads elsewhere, and give
    one with --seen.

    Example: esi log verify esi-decisions.sqlite
    """
    from ..serve.decision_log import verify_log

    _check_archive(archive)
    verdict = verify_log(file, archive, _seen(seen))
    if form == "json":
        print_json({"holds": not verdict.problem, **asdict(verdict)})
        raise typer.Exit(1 if verdict.problem else 0)
    if verdict.problem:
        typer.echo(f"the chain is broken: {verdict.problem} ({verdict.rows} rows hold before it)", err=True)
        raise typer.Exit(1)
    typer.echo(f"the chain holds: {verdict.rows} rows; head {verdict.sequence}:{verdict.hash}")


@app.command()
def head(file: LogFile) -> None:
    """Print the newest row's SEQUENCE:HASH. Keep it on another machine.

    Example: esi log head esi-decisions.sqlite
    """
    from ..serve.decision_log import newest_row

    record = newest_row(file)
    typer.echo(f"{record.sequence}:{record.hash}" if record else "0:no rows yet")


@app.command()
def export(
    file: LogFile,
    form: Annotated[str, typer.Option("--format", help="jsonl, AuditEvent or Provenance (FHIR R4, ndjson)")] = "jsonl",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="[default: standard output]")] = None,
    since: Annotated[str | None, typer.Option(help="first time, UTC, e.g. 2026-11-01")] = None,
    until: Annotated[str | None, typer.Option(help="first time no more, UTC")] = None,
    archive: ArchiveFile = None,
) -> None:
    """Write the rows of archive and log, oldest first, one JSON object a line; texts of patients are not exported.

    Example: esi log export esi-decisions.sqlite --format AuditEvent --since 2026-11-01 -o audit.ndjson
    """
    from ..atomic_files import refuse_overwriting, write_text
    from ..serve.decision_log import archive_of, rows_with_archive
    from ..serve.fhir import log_exports

    if form not in log_exports():
        raise InputError(f"--format {form}: one of {', '.join(log_exports())}.")
    _check_archive(archive)
    kept = [*file.parent.glob(f"{glob.escape(file.name)}*"), archive or archive_of(file)]
    refuse_overwriting([output] if output else [], *kept)
    as_json, between = log_exports()[form], (_time("--since", since), _time("--until", until))
    lines = (json.dumps(as_json(record), ensure_ascii=False) for record in rows_with_archive(file, archive, *between))
    if output is None:
        for line in lines:
            typer.echo(line)
        return
    written = list(lines)
    write_text(output, "".join(f"{line}\n" for line in written))
    typer.echo(f"{len(written)} rows: {output}", err=True)


def _check_archive(archive: Path | None) -> None:
    if archive is not None and not archive.is_file():
        raise InputError(f"--archive {archive}: there is no such file.")


def _time(option: str, given: str | None) -> str | None:
    from ..serve.decision_log import as_logged

    try:
        return None if given is None else as_logged(given)
    except ValueError:
        raise InputError(f"{option} {given}: give a date or a time, UTC, e.g. 2026-11-01.") from None


def _seen(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    sequence, _, hashed = text.partition(":")
    if not sequence.isdecimal() or len(hashed) != 64:
        raise InputError(f"--seen {text}: give SEQUENCE:HASH as `esi log head` prints it.")
    return int(sequence), hashed
