"""Contamination: what of a test set a training set has already seen.

Patients and stays are compared by their ids as they stand, whatever the source: a MIMIC patient keeps its number in
MIMIC-IV-ED, in MIETIC and in a hospital's own extract. Narratives are compared by `near_duplicates`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import InputError
from ...progress import bar
from ..case_table import BadRow, checked_rows, count_rows
from .near_duplicates import THRESHOLD, Match, near_duplicates

_EXAMPLES = 10


class Row(NamedTuple):
    """What is compared of a case, and whether its text may be shown."""

    case_id: str
    subject_id: str
    stay_id: str
    held_out: bool
    is_open: bool
    narrative: str


@dataclass
class Overlap:
    """What stands on both sides, as pairs of case_ids (train, test): one a patient, one a stay, all near-duplicates."""

    train: Path
    test: Path
    threshold: float
    train_rows: int = 0
    test_rows: int = 0
    bad_rows: dict[Path, int] = field(default_factory=dict)
    patients: dict[str, tuple[str, str]] = field(default_factory=dict)
    stays: dict[str, tuple[str, str]] = field(default_factory=dict)
    near: list[Match] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)  # each row of train that must go, and why

    def __bool__(self) -> bool:
        """True where anything at all stands on both sides."""
        return bool(self.patients or self.stays or self.near)


def check_files(train: Path, test: Path | None = None, threshold: float = THRESHOLD) -> Overlap:
    """Compare a training table with a test table, or the splits of one table with each other.

    Train is what is not held out. Test is what is held out; of a second file that holds out nothing, all of it. Rows
    that cannot be used are counted and left out. Raises InputError for a file that cannot be read, and where a
    side is empty.
    """
    if not 0 < threshold <= 1:
        raise InputError(f"--threshold {threshold:g}: a similarity is above 0 and at most 1.")
    found = Overlap(train, test or train, threshold)
    tested = list(_rows(found.test, found))
    if test is None or any(row.held_out for row in tested):
        tested = [row for row in tested if row.held_out]
    if not tested:
        raise InputError(f"{found.test}: no row to test on; give a TEST file, or rows whose split is held_out.")
    found.test_rows = len(tested)
    with bar("check", count_rows(train), "row") as shown:
        rows = (row for row in _rows(train, found) if not (shown.update() or row.held_out))
        texts = ((row.case_id, row.narrative) for row in _compared(rows, tested, found))
        matches = near_duplicates(texts, ((row.case_id, row.narrative) for row in tested), threshold)
        found.near = sorted(matches, key=lambda match: (-match.similarity, match.test, match.train))
    for match in found.near:
        found.seen.setdefault(match.train, f"resembles {match.test} of the test set ({match.similarity:.2f})")
    if not found.train_rows:
        raise InputError(f"{train}: no row to train on; every row is held_out or lacks case_id or narrative.")
    return found


def _compared(rows: Iterable[Row], tested: list[Row], found: Overlap) -> Iterator[Row]:
    """Passes rows on; notes on the way which of their patients and stays are among the tested."""
    patients = {row.subject_id: row.case_id for row in tested if row.subject_id}
    stays = {row.stay_id: row.case_id for row in tested if row.stay_id}
    for row in rows:
        found.train_rows += 1
        if row.subject_id in patients:
            found.patients.setdefault(row.subject_id, (row.case_id, patients[row.subject_id]))
            found.seen[row.case_id] = f"the patient of {patients[row.subject_id]}, who is in the test set"
        if row.stay_id in stays:
            found.stays.setdefault(row.stay_id, (row.case_id, stays[row.stay_id]))
            found.seen[row.case_id] = f"the stay of {stays[row.stay_id]}, which is in the test set"
        yield row


def _rows(path: Path, found: Overlap) -> Iterator[Row]:
    bad = 0
    for case in checked_rows(path):
        if isinstance(case, BadRow):
            bad += 1
            continue
        yield Row(
            case_id=case.case_id,
            subject_id=case.subject_id or "",
            stay_id=case.stay_id or "",
            held_out=case.split == "held_out",
            is_open=case.licence == "open",
            narrative=case.narrative,
        )
    found.bad_rows[path] = bad


def as_json(found: Overlap) -> dict[str, Any]:
    """The counts, and examples by case_id; never text."""
    return {
        "train": {"file": str(found.train), "rows": found.train_rows},
        "test": {"file": str(found.test), "rows": found.test_rows},
        "bad_rows": {str(path): n for path, n in found.bad_rows.items()},
        "patients": _ids(found.patients),
        "stays": _ids(found.stays),
        "near_duplicates": {
            "similarity": f"Jaccard of word 5-grams, at least {found.threshold:g}",
            "pairs": len(found.near),
            "test_rows": len({match.test for match in found.near}),
            "examples": [match._asdict() for match in found.near[:_EXAMPLES]],
        },
    }


def _ids(shared: dict[str, tuple[str, str]]) -> dict[str, Any]:
    pairs = list(shared.values())[:_EXAMPLES]
    return {"shared": len(shared), "examples": [{"train": train, "test": test} for train, test in pairs]}


def as_text(found: Overlap) -> str:
    """The same for a person."""
    said = as_json(found)
    near = said["near_duplicates"]
    lines = [
        f"train  {found.train}: {found.train_rows:,} rows",
        f"test   {found.test}: {found.test_rows:,} rows",
        *(f"       {path}: {n} rows that cannot be used left out" for path, n in found.bad_rows.items() if n),
        f"  patients on both sides     {said['patients']['shared']:,}",
        *(f"    {pair['train']}  and  {pair['test']}" for pair in said["patients"]["examples"]),
        f"  stays on both sides        {said['stays']['shared']:,}",
        *(f"    {pair['train']}  and  {pair['test']}" for pair in said["stays"]["examples"]),
        f"  near-duplicate narratives  {near['pairs']:,} pairs, {near['test_rows']:,} of {found.test_rows:,} test rows "
        f"({near['similarity']})",
        *(f"    {match.similarity:.2f}  {match.train}  and  {match.test}" for match in found.near[:_EXAMPLES]),
    ]
    return "\n".join(lines)


def shown_texts(found: Overlap) -> list[str]:
    """The near-duplicate examples with their texts; a text whose row is not marked open is withheld."""
    examples = found.near[:_EXAMPLES]
    train = _texts(found.train, {match.train for match in examples}, found)
    test = _texts(found.test, {match.test for match in examples}, found)
    return [
        f"{match.similarity:.2f}\n  {match.train}: {train[match.train]}\n  {match.test}: {test[match.test]}"
        for match in examples
    ]


def _texts(path: Path, wanted: set[str], found: Overlap) -> dict[str, str]:
    rows = (row for row in _rows(path, found) if row.case_id in wanted) if wanted else ()
    return {row.case_id: row.narrative if row.is_open else "(not open: text withheld)" for row in rows}
