"""Build a case table and the `dataset.json` beside it: where it came from, what was done, what is in it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING, Any, get_args

import pyarrow as pa

from ..atomic_files import quarantine_of, refuse_overwriting, sha256_of, whole, write_json
from ..esi import LEVELS, Case, Licence, Split, Vitals, assess
from ..progress import bar
from .case_table import BadRow, as_tables, check_output, write_quarantine, write_tables
from .corpus.nurse_notes import nurse_notes
from .corpus.vignettes import open_cases
from .overlap.overlap_file import without_overlap
from .targets import judged_steps, reference_answer

if TYPE_CHECKING:
    from .mimic_iv_ed.mimic_cases import Rule
    from .mimic_iv_ed.release import Source

Overlap = Mapping[str, str]
"""Case_ids that a build leaves out, and why (`overlap_file`)."""
SAMPLED = 100  # labelled rows whose reference answer is compared with the rules engine: half a second
COUNTED = ("chief_complaint", "age_years", "sex", "arrival", *Vitals.model_fields)


@dataclass
class Tally:
    """What is in a case table, counted while it is written; every `stride`-th row is kept as a sample."""

    stride: int
    cases: int = 0
    sample: list[Case] = field(default_factory=list)
    levels: Counter[int | None] = field(default_factory=Counter)
    splits: Counter[str | None] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)

    def counting(self, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """Pass the tables on."""
        for table in tables:
            first = -self.cases % self.stride
            self.sample += [Case.model_validate(row) for row in table[first :: self.stride].to_pylist()]
            self.cases += len(table)
            self.splits.update(table["split"].to_pylist())
            self.levels.update(table["gold"].to_pylist())
            self.missing.update({name: table[name].null_count for name in COUNTED})
            yield table

    def shares(self) -> dict[str, Any]:
        """Levels, the class prior among the labelled, splits, what is missing: counts, and shares of the cases."""
        labelled = sum(self.levels[level] for level in LEVELS)
        return {
            "levels": {str(level): self.levels[level] for level in LEVELS} | {"none": self.levels[None]},
            "class_prior": {str(level): _share(self.levels[level], labelled) for level in LEVELS},
            "splits": {name: self.splits[name] for name in get_args(Split)} | {"none": self.splits[None]},
            "missing": dict(self.missing),
            "missing_share": {name: _share(n, self.cases) for name, n in self.missing.items()},
        }

    def judged(self) -> dict[str, Any]:
        """Of the sample's ESI levels, those whose reference answer has a step marked as the nurse's judgement."""
        labelled = [case for case in self.sample if case.gold is not None and case.scale == "esi"]
        n = sum(judged_steps(reference_answer(case, assess(case.narrative))) > 0 for case in labelled)
        return {"sampled": len(labelled), "judged": n, "judged_share": _share(n, len(labelled))}


def write_build(
    output: Path,
    tables: Iterable[pa.Table],
    about: dict[str, Any],
    bad: list[BadRow],
    overlap: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Write a case table, its quarantine and its dataset.json; returns what dataset.json says.

    `about` says where the rows come from (source, licence, rows_in at least); `bad` holds the rows that became no case,
    and may fill while `tables` stream; `overlap` says which case_ids to leave out. dataset.json takes its name
    first and the table last. So whoever is killed finds the old table or none, and a table that goes with its
    dataset.json and quarantine has the sha256 that stands there.
    """
    check_output(output)
    tally = Tally(stride=max(1, about["rows_in"] // SAMPLED))
    if overlap:
        tables = without_overlap(tables, overlap, bad)
    with whole(output, private=about["licence"] != "open") as temporary:
        write_tables(tally.counting(tables), temporary, output.suffix)
        if about["rows_in"] != tally.cases + len(bad):
            raise RuntimeError(f"{output}: {about['rows_in']} rows in, {tally.cases} cases and {len(bad)} quarantined")
        counts = {"cases": tally.cases, "quarantined": len(bad), **tally.shares(), "targets": tally.judged()}
        made_with = {"python": python_version()} | {name: version(name) for name in ("esi-triage", "duckdb", "pyarrow")}
        sheet = {**about, **counts, "made_with": made_with, "sha256": sha256_of(temporary)}
        write_json(sheet_path(output), sheet)
        write_quarantine(bad, output)
    return sheet


def build_mimic(
    folder: Path, output: Path, seed: int, patients: Path | None = None, overlap: Overlap | None = None
) -> dict[str, Any]:
    """MIMIC-IV-ED to `output`, with its quarantine and dataset.json; returns what dataset.json says.

    `patients` is MIMIC-IV's hosp/patients.csv(.gz), for ages, where it does not lie beside the folder ed.
    """
    import duckdb

    from .mimic_iv_ed import mimic_cases, release

    check_output(output)
    files = release.find_tables(folder, patients)
    refuse_overwriting(built_files(output), *files.values())
    read = {name: file for name, file in files.items() if name in release.READ}
    others = {name: file for name, file in files.items() if name not in read}
    # the counted tables are two thirds of the bytes and decide only dataset.json: a thread unpacks them meanwhile
    with duckdb.connect() as database, ThreadPoolExecutor(1) as beside:
        counting = beside.submit(release.count_tables, others)
        sources = mimic_cases.read_and_clean(database, read)
        licence = release.licence_of(sources)
        about = _about_mimic(licence, seed, sources["triage"].rows, mimic_cases.cleaning_rules(database))
        bad = mimic_cases.quarantined(database, sources["triage"])
        tables = mimic_cases.case_tables(database, licence, seed)

        def all_tables() -> Iterator[pa.Table]:
            yield from _watched(tables, about["rows_in"] - len(bad), "MIMIC-IV-ED")
            about.update(_about_files(sources | counting.result(), files))

        return write_build(output, all_tables(), about, bad, overlap)


def _about_mimic(licence: Licence, seed: int, rows: int, rules: "list[Rule]") -> dict[str, Any]:
    return {
        "source": "MIMIC-IV-ED demo v2.2 (ODbL v1.0)" if licence == "open" else "MIMIC-IV-ED",
        "licence": licence,
        "seed": seed,
        "files": {},  # this and the next once all tables are counted
        "known_counts": "",
        "rows_in": rows,
        "rules": {rule.name: rule.rows for rule in rules},
        "rule_reasons": {rule.name: rule.reason for rule in rules},
    }


def _about_files(sources: "dict[str, Source]", order: Iterable[str]) -> dict[str, Any]:
    from .mimic_iv_ed.release import matching_release

    files = {
        name: {
            "rows": sources[name].rows,
            "unreadable": len(sources[name].unreadable),
            "sha256": sources[name].sha256,
        }
        for name in order
    }
    return {"files": files, "known_counts": matching_release(sources)}


def build_open(output: Path, n: int, seed: int, overlap: Overlap | None = None) -> dict[str, Any]:
    """The open corpus to `output`, with its dataset.json; returns what dataset.json says."""
    about = {"source": "open corpus (made-up narratives)", "licence": "open", "seed": seed, "rows_in": n}
    return write_build(output, _watched(as_tables(open_cases(n, seed)), n, "open corpus"), about, [], overlap)


def build_notes(output: Path, overlap: Overlap | None = None) -> dict[str, Any]:
    """The nurse notes to `output`, with their dataset.json; returns what dataset.json says."""
    cases = list(nurse_notes())
    about = {
        "source": "nurse notes (fictional; labelled by language models from the handbook, by no clinician)",
        "licence": "open",
        "rows_in": len(cases),
        "disputed": sum("disputed" in case.quality for case in cases),
    }
    return write_build(output, as_tables(cases), about, [], overlap)


def summary(found: dict[str, Any], output: Path) -> str:
    """What a person wants to know of a build."""
    counts = f"{found['rows_in']:,} rows in, {found['cases']:,} cases, {found['quarantined']:,} quarantined"
    lines = [
        f"{found['source']}: {counts}",
        *([f"  counts   {found['known_counts']}"] if "known_counts" in found else []),
        f"  levels   {' · '.join(f'{level}: {count:,}' for level, count in found['levels'].items())}",
        f"  splits   {_listed(found['splits'])}",
        *([f"  targets  {_judged(found['targets'])}"] if found["targets"]["sampled"] else []),
        f"  missing  {_listed(found['missing'])}",
        f"  rules    {_listed(found.get('rules', {}))}",
        *(f"  note     {note}" for note in found.get("notes", ())),
        f"  licence  {found['licence']}",
        f"  written  {output}, {sheet_path(output)}",
    ]
    return "\n".join(lines)


def _judged(targets: dict[str, Any]) -> str:
    judged, sampled = targets["judged"], targets["sampled"]
    return f"{judged:,} of {sampled:,} sampled reference answers rest on the nurse's judgement in a step"


def sheet_path(output: Path) -> Path:
    """Where the dataset.json of a case table lies."""
    return output.with_name(f"{output.stem}.dataset.json")


def built_files(output: Path) -> list[Path]:
    """What a build writes: the case table, its dataset.json, its quarantine."""
    return [output, sheet_path(output), quarantine_of(output)]


def _share(part: int, of: int) -> float | None:
    return round(part / of, 4) if of else None


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items() if count) or "none"


def _watched(tables: Iterable[pa.Table], n: int, label: str) -> Iterator[pa.Table]:
    with bar(label, n, "case") as shown:
        for table in tables:
            shown.update(len(table))
            yield table
