"""The same task for other evaluation harnesses: their runners and viewers, our cases, prompt, parser and scoring."""

from pathlib import Path

from ...answer import parse
from ...data.case_table import all_bad
from ...esi import Case
from ..labelled_cases import read_labelled
from ..statistics.confusion import SHARES, cell_of

SCORES = ("exact", "within_one", "under_triage", "over_triage", "two_or_more", "no_parse")


def scores_of(text: str, gold: int) -> dict[str, float]:
    """What one answer scores, 0 or 1 by name of `SCORES`: our parser, our table; their means are our proportions."""
    (cell,) = cell_of([gold], [parse(text).level])
    return {name: float(SHARES[name][0].ravel()[cell]) for name in SCORES}


def labelled_cases(file: str | Path) -> list[Case]:
    """The labelled cases of a file. Raises InputError where none is, and for a bad row: none may leave unseen."""
    found = read_labelled(Path(file))
    if bad := found.bad:
        raise all_bad(file, bad)
    return found.cases
