"""Build a case table and the `dataset.json` beside it: where it came from, what was done, what is in it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any, get_args

import pyarrow as pa

from ..esi import LEVELS, Case, Split, Vitals, triage
from ..files import sha256_of, whole, write_json
from ..progress import bar
from .open_corpus import open_cases
from .rationale import judged_steps, reference_answer
from .table import BadRow, as_tables, check_output, write_quarantine, write_tables

SAMPLED = 400  # labelled rows whose reference answer is held against the engine: a second or two
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
        """Of the sample's labelled rows, those whose reference answer has a step marked as the nurse's judgement."""
        labelled = [case for case in self.sample if case.gold is not None]
        n = sum(judged_steps(reference_answer(case, triage(case.narrative))) > 0 for case in labelled)
        return {"sampled": len(labelled), "judged": n, "judged_share": _share(n, len(labelled))}


def write_build(output: Path, tables: Iterable[pa.Table], about: dict[str, Any], bad: list[BadRow]) -> dict[str, Any]:
    """Write a case table, its quarantine and its dataset.json; returns what dataset.json says.

    `about` says where the rows come from (source, licence, rows_in at least); `bad` holds the rows that became no case,
    and may fill while `tables` stream. dataset.json takes its name first and the table last. So whoever is killed finds
    the old table or none, and a table that goes with its dataset.json and quarantine has the sha256 that stands there.
    """
    check_output(output)
    for name in (output.name, sheet_path(output).name):
        for left_over in output.parent.glob(f".{name}.*.part"):  # of a build that was killed
            left_over.unlink(missing_ok=True)
    tally = Tally(stride=max(1, about["rows_in"] // SAMPLED))
    with whole(output) as temporary:
        write_tables(tally.counting(tables), temporary, output.suffix)
        if about["rows_in"] != tally.cases + len(bad):
            raise RuntimeError(f"{output}: {about['rows_in']} rows in, {tally.cases} cases and {len(bad)} quarantined")
        counts = {"cases": tally.cases, "quarantined": len(bad), **tally.shares(), "targets": tally.judged()}
        made_with = {"python": python_version()} | {name: version(name) for name in ("esi-triage", "duckdb", "pyarrow")}
        sheet = {**about, **counts, "made_with": made_with, "sha256": sha256_of(temporary)}
        write_json(sheet_path(output), sheet)
        write_quarantine(bad, output)
    return sheet


def build_mimic(folder: Path, output: Path, seed: int, patients: Path | None = None) -> dict[str, Any]:
    """MIMIC-IV-ED to `output`, with its quarantine and dataset.json; returns what dataset.json says.

    `patients` is MIMIC-IV's hosp/patients.csv(.gz), for ages, where it does not lie beside the folder ed.
    """
    import duckdb

    from . import mimic_files, mimic_iv_ed

    check_output(output)
    files = mimic_files.find_tables(folder, patients)
    with duckdb.connect() as database:
        sources = mimic_iv_ed.read_release(database, files)
        licence = mimic_files.licence_of(sources)
        rules = mimic_iv_ed.rules(database)
        about = {
            "source": "MIMIC-IV-ED demo v2.2 (ODbL v1.0)" if licence == "open" else "MIMIC-IV-ED",
            "licence": licence,
            "seed": seed,
            "files": {
                name: {"rows": source.rows, "unreadable": len(source.unreadable), "sha256": source.sha256}
                for name, source in sources.items()
            },
            "known_counts": mimic_files.known_counts(sources),
            "rows_in": sources["triage"].rows,
            "rules": {rule.name: rule.rows for rule in rules},
            "rule_reasons": {rule.name: rule.reason for rule in rules},
        }
        tables = mimic_iv_ed.case_tables(database, licence, seed)
        bad = mimic_iv_ed.quarantined(database, sources["triage"])
        return write_build(output, _watched(tables, about["rows_in"] - len(bad), "MIMIC-IV-ED"), about, bad)


def build_open(output: Path, n: int, seed: int) -> dict[str, Any]:
    """The open corpus to `output`, with its dataset.json; returns what dataset.json says."""
    about = {"source": "open corpus (made-up narratives)", "licence": "open", "seed": seed, "rows_in": n}
    return write_build(output, _watched(as_tables(open_cases(n, seed)), n, "open corpus"), about, [])


def summary(found: dict[str, Any], output: Path) -> str:
    """What a person wants to know of a build."""
    targets = found["targets"]
    counts = f"{found['rows_in']:,} rows in, {found['cases']:,} cases, {found['quarantined']:,} quarantined"
    lines = [
        f"{found['source']}: {counts}",
        *([f"  counts   {found['known_counts']}"] if "known_counts" in found else []),
        f"  levels   {' · '.join(f'{level}: {count:,}' for level, count in found['levels'].items())}",
        f"  splits   {_listed(found['splits'])}",
        f"  targets  {targets['judged']:,} of {targets['sampled']:,} sampled reference answers rest on the nurse's "
        "judgement in a step",
        f"  missing  {_listed(found['missing'])}",
        f"  rules    {_listed(found.get('rules', {}))}",
        f"  licence  {found['licence']}",
        f"  written  {output}, {sheet_path(output)}",
    ]
    return "\n".join(lines)


def sheet_path(output: Path) -> Path:
    """Where the dataset.json of a case table lies."""
    return output.with_name(f"{output.stem}.dataset.json")


def _share(part: int, of: int) -> float | None:
    return round(part / of, 4) if of else None


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items() if count) or "none"


def _watched(tables: Iterable[pa.Table], n: int, label: str) -> Iterator[pa.Table]:
    with bar(label, n, "case") as shown:
        for table in tables:
            shown.update(len(table))
            yield table
