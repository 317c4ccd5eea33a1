"""Build a case table and the `dataset.json` beside it: where it came from, what was done, what is in it."""

from pathlib import Path
from typing import Any

from ..esi import LEVELS
from ..files import sha256_of, write_json
from ..progress import bar
from .mimic_iv_ed import BuildReport, find_tables, licence_of, mimic_cases
from .open_corpus import open_cases
from .table import check_output, write_cases, write_quarantine


def build_mimic(folder: Path, output: Path, seed: int) -> dict[str, Any]:
    """MIMIC-IV-ED to `output`, with its quarantine and dataset.json; returns what dataset.json says."""
    report = BuildReport()
    files = find_tables(folder)
    cases = mimic_cases(folder, report, seed)
    n = write_cases(cases, output)
    licence = licence_of(files)
    return _finish(
        output,
        {
            "source": "MIMIC-IV-ED demo v2.2 (ODbL v1.0)" if licence == "open" else "MIMIC-IV-ED",
            "licence": licence,
            "seed": seed,
            "files": {name: {"rows": report.rows[name], "sha256": sha256_of(file)} for name, file in files.items()},
            "rows_in": report.rows["triage"],
            "cases": n,
            "quarantined": len(report.quarantined),
            "levels": _by_level(report.levels),
            "missing": dict(report.missing),
            "rules": dict(report.rules),
        },
        report,
    )


def build_open(output: Path, n: int, seed: int) -> dict[str, Any]:
    """The open corpus to `output`, with its dataset.json; returns what dataset.json says."""
    check_output(output)
    report = BuildReport()
    with bar("open corpus", n, "case") as shown:

        def counted() -> Any:
            for case in open_cases(n, seed):
                report.levels[case.gold] += 1
                shown.update()
                yield case

        written = write_cases(counted(), output)
    return _finish(
        output,
        {
            "source": "open corpus (made-up narratives)",
            "licence": "open",
            "seed": seed,
            "rows_in": n,
            "cases": written,
            "quarantined": 0,
            "levels": _by_level(report.levels),
        },
        report,
    )


def summary(found: dict[str, Any], output: Path) -> str:
    """What a person wants to know of a build."""
    levels = " · ".join(f"{name}: {count}" for name, count in found["levels"].items())
    lines = [
        f"{found['source']}: {found['rows_in']} rows in, {found['cases']} cases, {found['quarantined']} quarantined"
    ]
    lines.append(f"  levels   {levels}")
    if found.get("missing"):
        lines.append("  missing  " + ", ".join(f"{name} {count}" for name, count in sorted(found["missing"].items())))
    if found.get("rules"):
        lines.append("  rules    " + ", ".join(f"{name} {count}" for name, count in sorted(found["rules"].items())))
    lines.append(f"  licence  {found['licence']}")
    return "\n".join([*lines, f"  written  {output}, {_sheet(output)}"])


def _by_level(levels: dict[int | None, int]) -> dict[str, int]:
    return {str(level): levels.get(level, 0) for level in LEVELS} | {"none": levels.get(None, 0)}


def _sheet(output: Path) -> Path:
    return output.with_name(f"{output.stem}.dataset.json")


def _finish(output: Path, found: dict[str, Any], report: BuildReport) -> dict[str, Any]:
    found["sha256"] = sha256_of(output)
    write_quarantine(report.quarantined, output)
    write_json(_sheet(output), found)
    return found
