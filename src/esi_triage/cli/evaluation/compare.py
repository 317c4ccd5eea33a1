"""`esi compare`: runs on the same cases, against the first."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ..output import TextOrJson, print_json

# what a difference means when it is above zero; the rest are said to be so by their names
LABELS = {
    "exact": "exact",
    "within_one": "within one level",
    "qwk": "quadratic kappa",
    "ac2": "Gwet's AC2 (linear)",
    "macro_f1": "macro-F1",
    "macro_mae": "macro MAE (levels; lower is better)",
    "esi1_sensitivity": "ESI 1 sensitivity",
    "high_acuity_sensitivity": "ESI 1-2 sensitivity",
    "high_acuity_specificity": "ESI 1-2 specificity",
    "under_triage_or_silent": "under-triage or no answer (lower is better)",
    "severe_under_triage": "1-2 as 4-5 or no answer (lower is better)",
    "over_triage": "over-triage (lower is better)",
    "no_parse": "no answer (lower is better)",
}


def compare(
    runs: Annotated[
        list[Path], typer.Argument(help="folders of `esi evaluate` or predictions files, the reference first")
    ],
    cases: Annotated[
        Path | None,
        typer.Option(help="case table with gold, subject_id and group, where the predictions do not hold them"),
    ] = None,
    resamples: Annotated[int, typer.Option(help="bootstrap resamples of patients or hospitals", min=100)] = 2000,
    seed: Annotated[int, typer.Option(help="seed of the resamples", min=0)] = 0,
    form: TextOrJson = "text",
) -> None:
    """Compare runs on the same cases: each against the first.

    Exact McNemar test, differences with 95 % intervals (bootstrap, both answers to a case together), and p adjusted by
    Holm where several runs are compared. As in an evaluation, groups of visits (hospital-years) are resampled where the
    cases have three or more, else patients; the test takes the same for its units. It says how many discordant cases
    would have been needed. Runs on different cases are refused.

    Example: esi compare runs/tiny/v43 runs/tiny/v46 --cases runs/tiny/held_out.parquet
    """
    from ...evaluate.run_comparison import compare_runs, read_scored

    found = compare_runs([read_scored(run, cases) for run in runs], resamples, seed)
    if form == "json":
        print_json(found)
        return
    words, _, caution = found["intervals"]["clusters"].partition("; ")
    of = f" of {found['patients']} {words}" if found["patients"] < found["n"] else ""
    typer.echo(f"{found['n']} cases{of} (hash {found['cases_sha256'][:12]}); each run less {found['reference']}")
    if caution:
        typer.echo(f"resampled: {words}; {caution}")
    unit = ("patient" if words == "patients" else "group") if of else None
    for comparison in found["comparisons"]:
        typer.echo("\n" + "\n".join(_lines(comparison, len(found["comparisons"]), unit)))


def _lines(comparison: dict[str, Any], comparisons: int, unit: str | None) -> list[str]:
    lines = [comparison["run"], "  " + _verdict(comparison, comparisons, unit)]
    for name, label in LABELS.items():
        d = comparison["differences"][name]
        if d["value"] is not None:
            lines.append(f"  {label:44} {d['value']:+.3f}  ({d['low']:+.3f} to {d['high']:+.3f})")
    return lines


def _verdict(comparison: dict[str, Any], comparisons: int, unit: str | None) -> str:
    """The test in one line: what was seen, how sure, and what it would have taken. `unit`: what has several cases."""
    gained, lost, needed = comparison["gained"], comparison["lost"], comparison["needed"]
    p = f"exact McNemar p = {comparison['p']:.2g}"
    if unit:
        p += f" (by {unit} {comparison['p_by_patient']:.2g})"
    if comparisons > 1:
        p += f", Holm over {comparisons} comparisons {comparison['p_holm']:.2g}"
    if needed is None:
        would = f"with {gained + lost} discordant cases no split is significant; at least 6, all one way, are needed"
    else:
        would = f"of {gained + lost} discordant cases, {needed} one way would have given p < 0.05"
    verdict = "different" if comparison["significant"] else "no difference shown"
    return f"{verdict}: {gained} cases gained, {lost} lost; {p}; {would}"
