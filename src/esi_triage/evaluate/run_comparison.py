"""Runs side by side: their predictions read back, proved to be of the same cases, and compared."""

import hashlib
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from ..data.case_table import BadRow, read_rows
from ..errors import InputError
from ..esi import LEVELS
from .clusters import clusters_of, resampled_by
from .scored import scored
from .statistics.bootstrap import RESAMPLES
from .statistics.paired_tests import SIGNIFICANT, differences, holm, paired

_READ = ("case_id", "level", "gold", "subject_id", "group")


class RunAnswers(NamedTuple):
    """A run's answers by case, sorted by `case_ids`: gold 1 to 5, predicted, patient and group, null for none."""

    name: str
    case_ids: list[str]
    gold: list[int]
    predicted: list[int | None]
    subjects: list[str | None]
    groups: list[str | None]

    @property
    def cases_hash(self) -> str:
        """SHA-256 of the cases and their gold levels, whatever their order was in the file."""
        lines = (f"{case_id}\t{gold}\n" for case_id, gold in zip(self.case_ids, self.gold, strict=True))
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def read_scored(run: Path, cases: Path | None = None) -> RunAnswers:
    """The answers in a run or evaluation folder (its predictions.parquet), or in a predictions file.

    Rows need `case_id` and `level` (null for no answer). `gold` comes from `cases`, a table by case_id, else from the
    predictions themselves; rows that `cases` gives no gold are left out. `subject_id` and `group` come from `cases`
    too, and from the predictions where it has none. Raises InputError, naming file, row and field, for anything else,
    and where a labelled case has no row.
    """
    file = _predictions_of(run)
    rows = _by_case(file, "level")
    known = _by_case(cases, "gold") if cases else rows
    if cases:
        _check_complete(file, rows, cases, known)
    found = RunAnswers(str(run), [], [], [], [], [])
    for case_id, (number, row) in sorted(rows.items()):
        told_at, told = known[case_id]
        gold, level = told.get("gold"), row["level"]
        if gold is None and cases:
            continue
        if gold is None:
            raise InputError(f"{file}: row {number} ({case_id!r}) has no gold level; give --cases FILE that has it.")
        found.case_ids.append(case_id)
        found.gold.append(_level(gold, cases or file, told_at, "gold"))
        found.predicted.append(None if level is None else _level(level, file, number, "level"))
        found.subjects.append(_named("subject_id", told, row))
        found.groups.append(_named("group", told, row))
    if not found.gold:
        raise InputError(f"{file}: none of its {len(rows)} cases has a gold level in {cases}; nothing can be compared.")
    return found


def same_cases(first: RunAnswers, second: RunAnswers) -> None:
    """Raises InputError, naming what differs, unless both runs answered the same cases with the same gold."""
    if first.cases_hash == second.cases_hash:
        return
    pairs = [[*zip(run.case_ids, run.gold, strict=True)] for run in (first, second)]
    a, b = next((a, b) for a, b in zip_longest(*pairs) if a != b)
    if a and b and a[0] == b[0]:
        what = f"case_id {a[0]!r} has gold {a[1]} in the first and {b[1]} in the second"
    else:
        lone, there = (a, first) if b is None or (a is not None and a[0] < b[0]) else (b, second)
        what = f"case_id {lone[0] if lone else None!r} is only in {there.name}"
    raise InputError(
        f"{first.name} and {second.name} cannot be compared: their cases differ ({len(first.gold)} and "
        f"{len(second.gold)} cases, {what}; hashes {first.cases_hash[:12]} and {second.cases_hash[:12]}). "
        "Evaluate both on one file of cases."
    )


def compare_runs(runs: Sequence[RunAnswers], resamples: int = RESAMPLES, seed: int = 0) -> dict[str, Any]:
    """Each run against the first, as plain JSON values: McNemar, differences with intervals, p adjusted by Holm.

    `p_holm` adjusts for the comparisons made (Holm 1979); it rests on `p_by_patient`, which is McNemar's p where no
    patient has two cases. `patients` counts what is resampled, `intervals.clusters` says what that is: patients or
    groups, as in an evaluation. A case's patient and group are those that any of the runs knows. Raises InputError
    where there are fewer than two runs or their cases differ.
    """
    if len(runs) < 2:
        raise InputError("a comparison needs two runs or more; give the one to compare with first.")
    for other in runs[1:]:
        same_cases(runs[0], other)
    groups = _first_known([run.groups for run in runs])
    clusters = clusters_of(_first_known([run.subjects for run in runs]), groups)
    first, *others = [scored(run.gold, run.predicted, clusters, resamples, seed) for run in runs]
    found = [
        {"run": run.name, **paired(first, other), "differences": differences(first, other)}
        for run, other in zip(runs[1:], others, strict=True)
    ]
    for comparison, p in zip(found, holm([comparison["p_by_patient"] for comparison in found]), strict=True):
        comparison["p_holm"] = p
        comparison["significant"] = p < SIGNIFICANT
    return {
        "reference": runs[0].name,
        "n": first.n,
        "patients": int(first.clusters.max()) + 1,
        "cases_sha256": runs[0].cases_hash,
        "comparisons": found,
        "intervals": {"level": 0.95, "clusters": resampled_by(groups), "resamples": resamples, "seed": seed},
    }


def _first_known(columns: Sequence[Sequence[str | None]]) -> list[str | None]:
    """By case, the first that is not null: a run that does not know the groups is compared with one that does."""
    return [next((value for value in values if value is not None), None) for values in zip(*columns, strict=True)]


def _predictions_of(run: Path) -> Path:
    if not run.is_dir():
        return run
    file = run / "predictions.parquet"
    if not file.is_file():
        raise InputError(f"{run}: no predictions.parquet in it; give the folder that `esi evaluate` wrote, or a file.")
    return file


def _check_complete(file: Path, rows: dict[str, Any], cases: Path, known: dict[str, Any]) -> None:
    """A case that has no row would leave the denominator; a row that has no case cannot be judged."""
    if strange := sorted(rows.keys() - known.keys()):
        raise InputError(f"{file}: case_id {strange[0]!r} is not in {cases}; give the file of the cases it answers.")
    if missing := sorted(k for k, (_, row) in known.items() if row["gold"] is not None and k not in rows):
        raise InputError(
            f"{file}: {len(missing)} labelled cases of {cases} have no row, the first {missing[0]!r}; "
            "a case without an answer is a row with a null level, it is not left out."
        )


def _by_case(file: Path, needed: str) -> dict[str, tuple[int, dict[str, Any]]]:
    """Row number (from 1) and row, by case_id; every row has the field `needed`, which may be null."""
    found: dict[str, tuple[int, dict[str, Any]]] = {}
    for number, row in enumerate(read_rows(file, _READ), start=1):
        if isinstance(row, BadRow):
            raise InputError(f"{file}: row {number}: {row.reason}; correct it, a comparison leaves no row out.")
        if row.get("case_id") in (None, "") or needed not in row:
            raise InputError(f"{file}: row {number} lacks case_id or {needed}; every row needs both.")
        case_id = str(row["case_id"])
        if case_id in found:
            raise InputError(f"{file}: rows {found[case_id][0]} and {number} have one case_id, {case_id!r}; keep one.")
        found[case_id] = (number, row)
    if not found:
        raise InputError(f"{file}: it has no rows; give predictions with case_id and level.")
    return found


def _named(name: str, *rows: dict[str, Any]) -> str | None:
    return next((str(row[name]) for row in rows if row.get(name) is not None), None)


def _level(value: Any, file: Path, number: int, name: str) -> int:
    if isinstance(value, bool) or value not in LEVELS:
        raise InputError(f"{file}: row {number}: {name} = {value!r}; a level is 1 to 5 (level: or null for no answer).")
    return int(value)
