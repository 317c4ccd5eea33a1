"""`esi data targets`: what the warm start learns to write, one answer a labelled case."""

from pathlib import Path
from typing import Annotated

import typer

from ...errors import InputError
from ..score import Parallel, Rate


def targets(
    cases: Annotated[Path, typer.Argument(help="case table (.parquet or .jsonl)")],
    output: Annotated[Path, typer.Option("--output", "-o", help="JSON lines to write: case_id, target, taught")],
    endpoint: Annotated[
        str | None, typer.Option(help="base URL of an OpenAI-compatible server whose model writes them")
    ] = None,
    model: Annotated[str | None, typer.Option(help="the teacher's name at the endpoint")] = None,
    rate: Rate = None,
    parallel: Parallel = 8,
) -> None:
    """Write the reference answer of each labelled case, or a teacher's, kept only where it passes the same checks.

    Checked are format, level, length, every number, and each step against the rules engine. Credentialed rows go to an
    endpoint on this machine only. What the teacher wrote is kept in OUTPUT.resume.jsonl as it comes: the same command
    goes on where a killed run was, and asks again what failed. Train on the targets with `targets = "FILE"` in the
    [data] table of an experiment.

    Example: esi data targets cases.parquet -o targets.jsonl --endpoint http://127.0.0.1:8000/v1 --model qwen
    """
    from ...atomic_files import refuse_overwriting
    from ...chat_endpoint import find_endpoint
    from ...data.case_table import read_cases
    from ...data.teacher_targets import write_targets
    from ...resume_cache import cache_of

    if (endpoint is None) != (model is None):
        raise InputError("--endpoint and --model belong together: give both, or neither for the reference answers.")
    refuse_overwriting((output, cache_of(output)), cases)
    found, bad = read_cases(cases)
    teacher = find_endpoint(endpoint, model, rate=rate, parallel=parallel) if endpoint and model else None
    for row in bad:
        typer.echo(f"bad row {row.row} ({row.case_id or 'no case_id'}): {row.reason}", err=True)
    n, taught = write_targets(found, teacher, output)
    told = f"; {taught} of the teacher's passed, for the others the reference answer stands" if teacher else ""
    typer.echo(f"{n} targets for {len(found)} cases ({len(bad)} bad rows){told}: {output}")
