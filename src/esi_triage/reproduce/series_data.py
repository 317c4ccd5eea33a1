"""What a series trains on and what it is tested on: the open corpus, a case table, or NHAMCS releases."""

import random
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ..data.build import sheet_path
from ..data.case_table import good_cases, read_cases, write_cases
from ..data.corpus.vignettes import open_cases
from ..errors import InputError
from ..esi import Case
from ..evaluate.linked_tables import Linked, read_linked
from ..reading import read_json
from ..train.experiment import DataSettings
from ..train.tiny.tiny_base import READ_UNTIL

NHAMCS_YEARS = "2016-2022"


class SeriesData(NamedTuple):
    """What a series runs on. `source` is the case table that trains (None: the experiments' own, the open corpus).

    `cases` are the test, kept in `file`; `linked` are the outcomes and groups that lie beside the table they are from.
    """

    source: str | None
    cases: list[Case]
    file: Path
    linked: Linked = Linked()


def find_data(data: str | None, test: Path | None, n: int, settings: DataSettings, output: Path) -> SeriesData:
    """What a series trains on, and at most `n` cases to test it on, kept in `output`/held_out.parquet.

    `data` is a case table with splits, a folder of NHAMCS releases, or `nhamcs` to fetch them; None is the open corpus
    of `settings`. `test` is another table to test on: its labelled rows of split held_out or without a split. Of more
    than `n` rows of a table a random sample is taken, the same each time. Raises InputError where nothing can be tested
    on, or a patient of the test is in the training split.
    """
    file = output / "held_out.parquet"
    source = str(_case_table(data, output)) if data else None
    if source is None and test is None:
        return SeriesData(None, held_out_cases(n, settings, file), file)
    table = test or Path(source or "")
    cases = _test_cases(table, test is not None)
    if source is not None:
        _refuse_shared_patients(cases, table, good_cases(Path(source)), source)
    sample = sorted(random.Random(0).sample(range(len(cases)), min(n, len(cases))))
    chosen = [cases[i] for i in sample]
    return SeriesData(source, _kept(chosen, file), file, read_linked(table, [case.case_id for case in chosen]))


def _case_table(data: str, output: Path) -> Path:
    """The case table that `data` names; NHAMCS releases are built into one first, and `nhamcs` are fetched before."""
    if data != "nhamcs" and not Path(data).is_dir():
        return Path(data)
    from ..data.nhamcs.nhamcs_build import build_nhamcs
    from ..data.nhamcs.nhamcs_download import fetch_nhamcs, years_named

    folder, built = Path(data), output / "cases.parquet"
    if data == "nhamcs":
        folder = output / "nhamcs"
        list(fetch_nhamcs(years_named(NHAMCS_YEARS), folder))
    if built.is_file():
        _refuse_another_build(built, folder)
    else:
        build_nhamcs(folder, built)
    return built


def _refuse_another_build(built: Path, folder: Path) -> None:
    """Raises InputError where the table that an earlier call has built is not of the releases in `folder`."""
    from ..data.nhamcs.nhamcs_build import changed_releases

    sheet = sheet_path(built)
    if differing := changed_releases(folder, read_json(sheet) if sheet.is_file() else {}):
        raise InputError(
            f"{built}: it was built from other releases than those in {folder} (different: {', '.join(differing)}). "
            "Give another --output, or remove it to build and train anew."
        )


def _test_cases(table: Path, whole_table: bool) -> list[Case]:
    splits = ("held_out", None) if whole_table else ("held_out",)
    cases = [case for case in good_cases(table) if case.gold is not None and case.split in splits]
    if not cases:
        raise InputError(f"{table}: no labelled row of the split held_out to test on; give such rows, or --test FILE.")
    return cases


def _refuse_shared_patients(cases: Sequence[Case], table: Path, every: Sequence[Case], source: str) -> None:
    trained = {(case.source, case.subject_id) for case in every if case.split == "train" and case.subject_id}
    for case in cases:
        if (case.source, case.subject_id) in trained:
            raise InputError(
                f"{table}: case {case.case_id!r} is of patient {case.subject_id!r}, who is in the training split of "
                f"{source} too. Split by patient."
            )


def refuse_what_the_base_read(base: str, cases: Sequence[Case]) -> None:
    """Raises InputError where a case to test on is a visit from which the tiny base has learned."""
    for case in cases if base == "tiny" else ():
        if case.source == "nhamcs" and int(case.case_id.split("-")[1]) <= READ_UNTIL:
            raise InputError(
                f"case {case.case_id!r}: the tiny base has read visits of NHAMCS up to {READ_UNTIL}, so it cannot be "
                f"tested on them. Build with --held-out {READ_UNTIL + 1} or later, or give another --base."
            )


def held_out_cases(n: int, data: DataSettings, file: Path) -> list[Case]:
    """`n` held-out cases of the corpus on which the series trains, kept in `file`."""
    corpus = open_cases(n * 30, data.seed, data.core)
    return _kept(list(islice((case for case in corpus if case.split == "held_out"), n)), file)


def _kept(cases: list[Case], file: Path) -> list[Case]:
    if not file.is_file() or read_cases(file)[0] != cases:
        write_cases(cases, file)
    return cases


def all_open(cases: Sequence[Case]) -> bool:
    """Whether texts may be shown in a report: credentialed ones never are."""
    return all(case.licence == "open" for case in cases)
