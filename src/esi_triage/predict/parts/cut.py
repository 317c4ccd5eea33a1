"""An input cut into parts of consecutive rows. Where the cuts are depends on the file and the number of parts alone."""

from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

from ...data.case_table import BadRow, check_row, count_rows, is_parquet, line_offsets, read_rows
from ...errors import InputError
from ...esi import Case

ROWS = 10_000  # of a part, where nobody says how many parts there are to be


class Part(NamedTuple):
    """Rows of a file: `first` counts from 1; `offset` is the byte at which that row begins in JSON lines."""

    number: int
    first: int
    rows: int
    offset: int = 0


def cut(source: Path, parts: int | None = None) -> list[Part]:
    """`source` (.jsonl or .parquet) as `parts` parts of like size, none of them empty; an empty file has none."""
    offsets = () if is_parquet(source) else line_offsets(source)
    rows = count_rows(source) if is_parquet(source) else len(offsets)
    wanted = min(parts or -(-rows // ROWS), rows)
    edges = [rows * i // wanted for i in range(wanted + 1)] if wanted else []
    return [
        Part(i + 1, start + 1, end - start, offsets[start] if offsets else 0)
        for i, (start, end) in enumerate(pairwise(edges))
    ]


def rows_of(source: Path, part: Part) -> Iterator[Case | BadRow]:
    """The rows of a part, checked one by one; whether a case_id stands in another row as well is not looked at."""
    rows = islice(read_rows(source, Case.model_fields, part.first, part.offset), part.rows)
    return (check_row(number, row, source.stem) for number, row in enumerate(rows, start=part.first))


def stamp(source: Path) -> str:
    """What a file is known again by: name, size in bytes, and when it was written."""
    try:
        found = source.stat()
    except OSError as error:
        raise InputError(f"{source}: it cannot be read ({error.strerror}). Give a file of narratives.") from None
    return f"{source.name} {found.st_size} {found.st_mtime_ns}"
