"""The labelled cases of a file, and what must hold of them before a model is asked."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..data.case_table import BadRow, read_cases
from ..errors import InputError
from ..esi import Case, Split
from .clusters import clusters_of
from .scored import Scored, scored
from .statistics.confusion import Levels


@dataclass(frozen=True, slots=True)
class Labelled:
    """The cases to evaluate, the rows that could not be used, and how many rows were left out and why."""

    cases: list[Case]
    bad: list[BadRow]
    without_gold: int
    other_split: int = 0

    @property
    def rows(self) -> dict[str, int]:
        """The counts of rows, as in metrics.json."""
        left_out = self.without_gold + len(self.bad) + self.other_split
        return {
            "in": len(self.cases) + left_out,
            "evaluated": len(self.cases),
            "without_gold": self.without_gold,
            "bad": len(self.bad),
            "other_split": self.other_split,
        }


def read_labelled(file: Path, split: Split | None = None) -> Labelled:
    """The labelled rows of `file`, those of `split` where it is given.

    Raises InputError where none is left, or where their levels are of more than one scale.
    """
    found, bad = read_cases(file)
    cases = [case for case in found if case.gold is not None]
    without = len(found) - len(cases)
    if not cases:
        raise InputError(
            f"{file}: none of its {len(found) + len(bad)} rows can be evaluated: {without} have no gold level, "
            f"{len(bad)} are bad" + (f" (row {bad[0].row}: {bad[0].reason})." if bad else ".")
        )
    chosen = [case for case in cases if split is None or case.split == split]
    if not chosen:
        there = ", ".join(f"{name or 'no split'} ({n})" for name, n in Counter(c.split for c in cases).most_common())
        raise InputError(f"{file}: no labelled row has the split {split}; there are {there}.")
    if len(scales := Counter(case.scale for case in chosen)) > 1:
        there = ", ".join(f"{name} ({n})" for name, n in scales.most_common())
        raise InputError(
            f"{file}: its levels are of {len(scales)} scales, {there}, and those of different scales are never pooled; "
            "evaluate a file for each."
        )
    return Labelled(chosen, bad, without, len(cases) - len(chosen))


def require_open(cases: Sequence[Case], file: Path) -> None:
    """Raises InputError unless all cases are open: the text of credentialed ones enters no report."""
    closed = [case for case in cases if case.licence != "open"]
    if closed:
        raise InputError(
            f"{file}: {len(closed)} of {len(cases)} cases are credentialed (case_id {closed[0].case_id!r} is the "
            "first; a row that says no licence counts as such), and a report never shows their text; leave out "
            "--with-cases."
        )


def require_weights(cases: Sequence[Case], file: Path) -> None:
    """Raises InputError unless all cases have a survey weight."""
    lacking = [case.case_id for case in cases if not case.weight]
    if lacking:
        raise InputError(
            f"{file}: {len(lacking)} of {len(cases)} labelled cases have no survey weight (case_id {lacking[0]!r} is "
            "the first); give a table with the column weight, or leave out --weighted."
        )


def score_answers(cases: Sequence[Case], predicted: Levels) -> Scored:
    """Answers to labelled cases as `Scored`, resampled by group or patient (`clusters_of`)."""
    clusters = clusters_of([case.subject_id for case in cases], [case.group for case in cases])
    return scored([case.gold or 0 for case in cases], predicted, clusters)
