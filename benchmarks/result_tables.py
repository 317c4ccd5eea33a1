"""The tables of docs/results.md: of whole series, and of models on the same cases.

    python benchmarks/result_tables.py runs/tiny --name made-up --about "Command, device, date."
    python benchmarks/result_tables.py eval/rules eval/boosting --name visits --about "Commands, date."

The first takes the tournament.json that `esi reproduce --seeds N` leaves, the second the metrics.json that
`esi evaluate --output` leaves in each folder. What the tables need is kept in docs/tables/NAME.json and put between the
marks `table: NAME`. Without arguments all tables are made anew from docs/tables; tests/test_documents.py fails where
the page and these files part.
"""

import argparse
import json
import re
from pathlib import Path
from typing import Any

from esi_triage.atomic_files import write_json
from esi_triage.page import interval

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "docs" / "tables"
PAGE = ROOT / "docs" / "results.md"
COLUMNS = {
    "exact": "exact",
    "high_acuity_sensitivity": "sensitivity for ESI 1–2",
    "under_triage": "under-triage",
    "over_triage": "over-triage",
}
LEVELS = ("1", "2", "3", "4", "5", "none")
ROWS = {
    "exact": "exact",
    "within_one": "within one level",
    "qwk": "quadratic kappa",
    "under_triage": "under-triage",
    "over_triage": "over-triage",
    "high_acuity_sensitivity": "sensitivity for levels 1 and 2",
}
OUTCOMES = ("critical", "admitted")
RANKED = {"auroc": "AUROC", "placed_3_to_5": "placed in levels 3 to 5"}


def kept_of_series(folder: Path, about: str) -> dict[str, Any]:
    """What the tables need: members and pairs over seeds, predicted and observed shares as means over seeds, and the
    best constant answer to the same cases."""
    tournament = json.loads((folder / "tournament.json").read_text(encoding="utf-8"))
    files = {name: folder / name / "metrics.json" for name in tournament["members"]}
    first_seed = {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items()}
    constant = next(iter(first_seed.values()))["best_constant"]
    shares: dict[str, dict[str, dict[str, float]]] = {}
    for member in dict.fromkeys(row["member"] for row in tournament["predicted"]["shares"]):
        rows = [row for row in tournament["predicted"]["shares"] if row["member"] == member]
        shares[member] = {
            kind: {level: _mean([row[kind] for row in rows if row["action"] == level]) for level in LEVELS}
            for kind in ("simulated", "observed")
        }
    return {
        "about": about,
        "constant": {"level": constant["level"], "exact": constant["exact"]},
        "members": {name: {**m, "qwk": first_seed[name]["qwk"]} for name, m in tournament["members"].items()},
        "pairs": tournament["pairs"],
        "quality": tournament["predicted"]["quality"],
        "shares": shares,
        "left_out": tournament["left_out"],
    }


def series_tables(series: dict[str, Any]) -> str:
    """The text between a page's marks."""
    names, seeds = list(COLUMNS), max(len(found["exact"]["seeds"]) for found in series["members"].values())
    n = series["constant"]["exact"]["n"]
    lines = [
        f"{series['about']} {n:,} held-out cases; "
        + (f"means over {seeds} training seeds (95 % over seeds and cases)." if seeds > 1 else "one training seed."),
        "",
    ]
    heads = [*COLUMNS.values(), "quadratic kappa" if seeds == 1 else "quadratic kappa, first seed"]
    lines += ["| | seeds | " + " | ".join(heads) + " |", "|---|---|" + "---|" * len(heads)]
    constant = f"always ESI-{series['constant']['level']}"
    lines.append(f"| {constant} | – | {interval(series['constant']['exact'])} |" + " – |" * (len(heads) - 1))
    for member, found in series["members"].items():
        cells = [*(interval(found[name]) for name in names), _kappa(found["qwk"])]
        lines.append(f"| {member} | {len(found['exact']['seeds'])} | " + " | ".join(cells) + " |")
    lines += ["", "Differences in points, seed by seed on the same cases:", ""]
    lines += ["| | seeds | " + " | ".join(COLUMNS.values()) + " |", "|---|---|" + "---|" * len(COLUMNS)]
    for pair in series["pairs"]:
        cells = [_difference(pair[name]) for name in names]
        seeds = len(pair["exact"]["seeds"])
        lines.append(f"| {pair['second']} less {pair['first']} | {seeds} | " + " | ".join(cells) + " |")
    if series["shares"]:
        lines += ["", *_shares(series)]
    if series["left_out"]:
        lines += ["", f"Not run: {', '.join(series['left_out'])}."]
    return "\n".join(lines)


def _shares(series: dict[str, Any]) -> list[str]:
    lines = ["Answers by level, simulated before training and observed after it (means over seeds, per cent):", ""]
    lines += ["| | | 1 | 2 | 3 | 4 | 5 | none |", "|---|---|" + "---|" * len(LEVELS)]
    for member, kinds in series["shares"].items():
        for kind, found in kinds.items():
            lines.append(f"| {member} | {kind} | " + " | ".join(f"{100 * found[level]:.1f}" for level in LEVELS) + " |")
    quality = series["quality"]
    moved = (
        f"of {quality['moved']} shares that moved by 5 points or more, {quality['directions_right']} moved as predicted"
    )
    return [
        *lines,
        "",
        f"Over {quality['n']} shares the simulation is off by {100 * quality['mean_absolute_error']:.1f} points on "
        f"average (at most {100 * quality['largest_error']:.1f}), as the warm start would be by "
        f"{100 * quality['mean_absolute_error_of_no_change']:.1f}; "
        f"{moved if quality['moved'] else 'no share moved by 5 points or more'}.",
    ]


def kept_of_models(folders: list[Path], about: str) -> dict[str, Any]:
    """Of each model on the same cases: its shares, and how well it ranks outcomes where they are known."""
    found = [json.loads((folder / "metrics.json").read_text(encoding="utf-8")) for folder in folders]
    if len({measured["cases_sha256"] for measured in found}) > 1:
        raise SystemExit("the folders are of different cases; evaluate each model on the same table.")
    models = {}
    for measured in found:
        shares = {name: measured[name] for name in ROWS}
        shares |= {"weighted": measured["weighted"]["model"]["exact"]} if "weighted" in measured else {}
        models[measured["model"]] = shares
    constant, outcomes = found[0]["best_constant"], {}
    for measured in found:
        for outcome in OUTCOMES if "outcomes" in measured else ():
            told = measured["outcomes"]["by_outcome"][outcome]
            rows = outcomes.setdefault(outcome, {"n": told["n"], "events": told["events"], "rows": {}})["rows"]
            rows |= told["rows"]
    return {"about": about, "constant": constant, "models": models, "outcomes": outcomes}


def models_tables(kept: dict[str, Any]) -> str:
    """The text between a page's marks, of models on the same cases."""
    models, constant = kept["models"], kept["constant"]
    head = [f"always {constant['level']}", *models]
    lines = [f"{kept['about']} {constant['exact']['n']:,} cases.", ""]
    lines += ["| | " + " | ".join(head) + " |", "|---|" + "---|" * len(head)]
    rows = ROWS | ({"weighted": "survey-weighted exact"} if any("weighted" in m for m in models.values()) else {})
    for name, said in rows.items():
        shown = _kappa if name == "qwk" else interval
        first = shown(constant[name]) if name in constant else "–"
        lines.append(
            f"| {said} | {first} | "
            + " | ".join(shown(model[name]) if name in model else "–" for model in models.values())
            + " |"
        )
    if kept["outcomes"]:
        lines += ["", "| outcome | ranked by | " + " | ".join(RANKED.values()) + " | AUROC less the nurse's |"]
        lines += ["|---|---|" + "---|" * (len(RANKED) + 1)]
    for outcome, told in kept["outcomes"].items():
        for model, row in told["rows"].items():
            less = _kappa(row["differences"]["auroc"]) if "differences" in row else ""
            cells = [_kappa(row["auroc"]), interval(row["placed_3_to_5"])]
            of = f"{outcome} ({told['events']:,} of {told['n']:,})"
            lines.append(
                f"| {of} | {'the nurse' if model == 'gold level' else model} | " + " | ".join(cells) + f" | {less} |"
            )
    return "\n".join(lines)


def with_tables(page: str) -> str:
    """The page with the tables of every file in docs/tables between its marks. Raises SystemExit without marks."""
    for file in sorted(KEPT.glob("*.json")):
        start, end = f"<!-- table: {file.stem} -->", f"<!-- / table: {file.stem} -->"
        if start not in page or end not in page:
            raise SystemExit(f"{PAGE.name}: no place for {file.name}; add the lines {start} and {end}.")
        found = json.loads(file.read_text(encoding="utf-8"))
        made = f"{start}\n\n{(series_tables if 'members' in found else models_tables)(found)}\n\n{end}"
        page = re.sub(f"{re.escape(start)}.*?{re.escape(end)}", lambda _, made=made: made, page, flags=re.DOTALL)
    return page


def _mean(values: list[float]) -> float:
    return round(sum(values) / len(values), 5)


def _kappa(found: dict[str, Any]) -> str:
    return f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})"


def _difference(found: dict[str, Any]) -> str:
    if found["value"] is None:
        return "–"
    return f"{100 * found['value']:+.1f} ({100 * found['low']:+.1f} to {100 * found['high']:+.1f})"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folders", type=Path, nargs="*", help="one of a series, or those of several evaluations")
    options.add_argument("--name", help="of the file and the marks")
    options.add_argument("--about", help="commands, device and date, in a sentence")
    given = options.parse_args()
    if given.folders:
        if not (given.name and given.about):
            options.error("--name and --about are needed")
        KEPT.mkdir(exist_ok=True)
        series = (given.folders[0] / "tournament.json").is_file()
        found = kept_of_series(given.folders[0], given.about) if series else kept_of_models(given.folders, given.about)
        write_json(KEPT / f"{given.name}.json", found)
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
