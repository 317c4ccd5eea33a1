"""`esi data check`: has the training set seen the test set?"""

import json
from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError


def check(
    train: Annotated[Path, typer.Argument(help="case table (.parquet or .jsonl); its held_out rows are not training")],
    test: Annotated[
        Path | None, typer.Argument(help="case table to test on; without it, the held_out rows of TRAIN")
    ] = None,
    threshold: Annotated[float, typer.Option(help="least Jaccard similarity of word 5-grams")] = 0.8,
    allow_overlap: Annotated[
        str | None, typer.Option(metavar="REASON", help="exit with 0 in spite of overlap; the reason is printed")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="print near-duplicate texts of rows marked open")] = False,
    form: Annotated[str, typer.Option("--format", help="text or json")] = "text",
) -> None:
    """Look for patients, stays and near-duplicate narratives on both sides, and exit with 1 where there are any.

    The report names rows by case_id. Texts are printed only with --show, and only of rows whose licence is open.

    Example: esi data check train.parquet test.jsonl
    """
    from ..data.check import as_json, as_text, check_files, shown_texts

    if form not in ("text", "json"):
        raise InputError(f"--format {form!r}: give text or json.")
    if allow_overlap is not None and not allow_overlap.strip():
        raise InputError("--allow-overlap: give the reason why this overlap does not matter.")
    found = check_files(train, test, threshold)
    if form == "json":
        texts = {"texts": shown_texts(found)} if show else {}
        typer.echo(json.dumps({**as_json(found), "allowed": allow_overlap, **texts}, indent=2, ensure_ascii=False))
    else:
        typer.echo("\n".join([as_text(found), *(shown_texts(found) if show else [])]))
        typer.echo(_verdict(bool(found), allow_overlap))
    if found and allow_overlap is None:
        raise typer.Exit(1)


def _verdict(overlap: bool, reason: str | None) -> str:
    if not overlap:
        return "no overlap"
    if reason is not None:
        return f"overlap allowed: {reason}"
    return (
        "overlap: a score on this test set would count what training has seen. Take these rows out of one side, or say "
        "why they do not matter with --allow-overlap REASON."
    )
