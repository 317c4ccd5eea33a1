"""`esi data check`: has the training set seen the test set?"""

from pathlib import Path
from typing import Annotated

import typer

from ...errors import InputError
from ..output import TextOrJson, print_json


def check(
    train: Annotated[Path, typer.Argument(help="case table (.parquet or .jsonl); its held_out rows are not training")],
    test: Annotated[
        Path | None, typer.Argument(help="case table to test on; without it, the held_out rows of TRAIN")
    ] = None,
    threshold: Annotated[float, typer.Option(help="least Jaccard similarity of word 5-grams")] = 0.8,
    allow_overlap: Annotated[
        str | None, typer.Option(metavar="REASON", help="exit with 0 in spite of overlap; the reason is printed")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="write the rows of TRAIN that must go (.jsonl), for `data build --exclude`"
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="print near-duplicate texts of rows marked open")] = False,
    looks: Annotated[
        bool, typer.Option("--artefacts", help="TRAIN alone: can its levels be guessed from the looks of its notes?")
    ] = False,
    form: TextOrJson = "text",
) -> None:
    """Look for patients, stays and near-duplicate narratives on both sides, and exit with 1 where there are any.

    The report names rows by case_id. Texts are printed only with --show, and only of rows whose licence is open.

    Example: esi data check train.parquet test.jsonl
    """
    from ...atomic_files import refuse_overwriting
    from ...data.overlap.contamination import as_json, as_text, check_files, shown_texts
    from ...data.overlap.overlap_file import write_overlap

    if allow_overlap is not None and not allow_overlap.strip():
        raise InputError("--allow-overlap: give the reason why this overlap does not matter.")
    refuse_overwriting([output] if output else [], train, test)
    if looks:
        if test or output or show or allow_overlap or form == "json":
            raise InputError("--artefacts looks at TRAIN alone and prints one line; leave TEST and the others out.")
        _say_artefacts(train)
        return
    found = check_files(train, test, threshold)
    if output:
        write_overlap(found.seen, output)
    if form == "json":
        texts = {"texts": shown_texts(found)} if show else {}
        print_json({**as_json(found), "allowed": allow_overlap, **texts})
    else:
        typer.echo("\n".join([as_text(found), *(shown_texts(found) if show else [])]))
        typer.echo(_verdict(bool(found), allow_overlap))
    if found and allow_overlap is None:
        raise typer.Exit(1)


def _say_artefacts(table: Path) -> None:
    """Exit with 1 where a classifier of looks gains more over the best constant answer than is allowed."""
    from ...data.case_table import read_cases
    from ...data.corpus.artefacts import ALLOWED, artefacts

    found = artefacts(read_cases(table)[0], table)
    typer.echo(
        f"{found.n:,} labelled notes: length, vital signs, an age, unusual words and the group give the level in "
        f"{100 * found.looks:.1f} %, the best constant answer in {100 * found.constant:.1f} % "
        f"(allowed: {100 * ALLOWED:.0f} points more)"
    )
    if not found.within_bounds:
        raise typer.Exit(1)


def _verdict(overlap: bool, reason: str | None) -> str:
    if not overlap:
        return "no overlap"
    if reason is not None:
        return f"overlap allowed: {reason}"
    return (
        "overlap: a score on this test set would count what training has seen. Take these rows out (--output FILE, and "
        "build again with --exclude FILE), or say why they do not matter with --allow-overlap REASON."
    )
