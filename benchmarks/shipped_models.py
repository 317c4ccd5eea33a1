"""What the models that ship reach: nurse notes, teaching cases, real visits with outcomes; and how fast the reader is.

    esi data build nhamcs --input FOLDER -o visits.parquet
    esi data build notes -o notes.parquet
    esi data build ktas --input FILE -o ktas.parquet
    python benchmarks/shipped_models.py --notes notes.parquet --split tuning --visits visits.parquet --write
    python benchmarks/shipped_models.py --ktas ktas.parquet --write

Visits are those of the held-out year. `--write` puts the figures into each model's model.json, which `esi models`
prints, and the notes' into the documents. Their split held_out is for figures in documents, once a round of
development is over.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from document_figures import keep
from esi_triage.atomic_files import write_json, write_text
from esi_triage.data.case_table import read_cases
from esi_triage.data.outcomes import outcomes_path, read_outcomes
from esi_triage.esi import Case
from esi_triage.evaluate.breakdowns.outcome_figures import GOLD, expected_levels, outcome_figures
from esi_triage.evaluate.scored import scored
from esi_triage.evaluate.statistics.costs import load_costs
from esi_triage.evaluate.statistics.metrics import figures
from esi_triage.predict.load import load_model
from esi_triage.predict.model import Model, Reply, ask, text_case
from esi_triage.predict.model_files import shipped_folder, shipped_models
from esi_triage.predict.reader import risk_of
from guard_settings import answered

START, END = "<!-- reached: start -->", "<!-- reached: end -->"
SHOWN = {"exact": "exact", "sensitivity 1-2": "high_acuity_sensitivity", "QWK": "qwk"}


def main() -> None:
    """Print the figures, and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notes", type=Path)
    parser.add_argument("--split", default="tuning")
    parser.add_argument("--cases", type=Path, help="teaching cases")
    parser.add_argument("--visits", type=Path)
    parser.add_argument("--ktas", type=Path, help="case table of `esi data build ktas`")
    parser.add_argument("--most", type=int, help="of the visits, in the table's order")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    reached: dict[str, dict[str, str]] = {"reader": {}, "risk": {}, "findings": {}}
    names = ("rules", "findings", "guard:findings", "reader", "guard")
    quoted: dict[str, dict[str, Any]] = {}
    if given.notes:
        notes = [case for case in read_cases(given.notes)[0] if case.split == given.split and case.gold]
        for name in names:
            replies = told(reached, name, f"nurse notes, split {given.split}", notes)
            quoted |= answered(f"notes.{given.split}.{name}", notes, replies, f"{name} on nurse notes, {given.split}")
    if given.cases:
        for name in names:
            told(reached, name, given.cases.stem, [case for case in read_cases(given.cases)[0] if case.gold])
    if given.ktas:
        cases = [case for case in read_cases(given.ktas)[0] if case.gold]
        for name in ("rules", "reader", "reader:handbook", "guard"):
            quoted |= answered(f"ktas.{name}", cases, ask(load_model(name), cases), f"{name} on KTAS, hospital 1")
    if given.visits:
        visits_told(reached, given.visits, given.most)
    speed_told()
    if given.write:
        for name, what in reached.items():
            file = shipped_folder() / name / "model.json"
            facts = json.loads(file.read_text(encoding="utf-8"))
            write_json(file, {**facts, "reached": {**facts.get("reached", {}), **what}})
        write_page()
        keep(quoted)


def write_page() -> None:
    """The table of docs/models.md, from every model.json."""
    page = Path(__file__).parents[1] / "docs" / "models.md"
    shipped_models.cache_clear()
    rows = ["", "| model | on | reached |", "|---|---|---|"]
    for name, model in shipped_models().items():
        rows += [f"| {name} | {where} | {what} |" for where, what in model.reached.items()]
    before, _, rest = page.read_text(encoding="utf-8").partition(START)
    after = rest.partition(END)[2]
    write_text(page, f"{before}{START}\n" + "\n".join(rows) + f"\n\n{END}{after}")


def told(reached: dict[str, dict[str, str]], name: str, where: str, cases: list[Case]) -> list[Reply]:
    """One model on one set of cases: printed, and kept where the model ships or is the guard."""
    replies = ask(load_model(name), cases)
    line = one_line(cases, replies)
    print(f"{name:14} {where}: {line}", flush=True)
    if name != "rules":
        reached["findings" if "findings" in name else "reader"][f"{where} ({name})"] = line
    return replies


def one_line(cases: list[Case], replies: list[Reply]) -> str:
    """Exact, sensitivity and kappa with intervals; where cases were handed over, what is left."""
    levels = [reply.level for reply in replies]
    made = scored(
        [case.gold or 0 for case in cases],
        levels,
        [case.group if case.scale != "esi" else case.case_id for case in cases],
    )
    found = figures(made, load_costs())
    parts = [f"n {len(cases):,}", *(f"{said} {with_interval(found[key], said)}" for said, key in SHOWN.items())]
    kept = [i for i, reply in enumerate(replies) if not reply.hand_over]
    if len(kept) < len(cases):
        right = sum(levels[i] == cases[i].gold for i in kept)
        missed = sum((cases[i].gold or 5) <= 2 and (levels[i] or 5) > 2 for i in kept)
        parts.append(f"kept {len(kept)}, of these exact {right}, ESI 1-2 called 3-5 {missed}")
    return ", ".join(parts)


def with_interval(figure: dict[str, Any], said: str) -> str:
    """A figure with its 95 % interval; kappa as it is, shares in per cent."""
    scale, digits, unit = (1, 3, "") if said in ("QWK", "AUROC") else (100, 1, " %")
    value, low, high = (round(scale * figure[key], digits) for key in ("value", "low", "high"))
    return f"{value}{unit} ({low} to {high})"


def visits_told(reached: dict[str, dict[str, str]], file: Path, most: int | None) -> None:
    """The held-out year: levels against the nurses', and how well each ranks critical outcomes."""
    cases = [case for case in read_cases(file)[0] if case.split == "held_out" and case.gold][:most]
    where = "NHAMCS, held-out year"
    by_reader = told(reached, "reader", where, cases)
    told(reached, "guard", where, cases)
    risks = risk_of(cases)
    outcomes = read_outcomes(outcomes_path(file))
    critical = [outcomes.get(case.case_id, {}).get("critical") for case in cases]
    made = scored([case.gold or 0 for case in cases], [r.level for r in by_reader], [case.group for case in cases])
    levels = [reply.level for reply in by_reader]
    rows = {"reader": (expected_levels(by_reader), levels), "risk": ([-risk for risk in risks], levels)}
    found = outcome_figures(made, {"critical": critical}, rows)["critical"]
    for name in (GOLD, "reader", "risk"):
        row = found["rows"][name]
        less = f", less the nurse's {with_interval(row['differences']['auroc'], 'AUROC')}" if name != GOLD else ""
        line = f"AUROC of critical outcomes {with_interval(row['auroc'], 'AUROC')}{less}, {found['events']} outcomes"
        print(f"{name:8} {where}: n {found['n']:,}, {line}", flush=True)
        if name != GOLD:
            reached[name][f"{where}, critical outcomes"] = line


def speed_told() -> None:
    """Notes a second of processor time in batches, and the wall time of single notes."""
    from esi_triage.data.corpus.nurse_notes import nurse_notes

    cases = [case for case in nurse_notes() if case.split == "train"][:128]
    model: Model = load_model("reader")
    ask(model, cases[:8])
    began = time.process_time()
    ask(model, cases)
    used = time.process_time() - began
    single = []
    for case in cases[:64]:
        at = time.perf_counter()
        ask(model, [text_case(case.narrative)])
        single.append(1000 * (time.perf_counter() - at))
    p50, p95 = np.quantile(single, [0.5, 0.95])
    batch = f"{len(cases) / used:.0f} notes a CPU second in batches"
    print(f"reader   speed: {batch}; one note p50 {p50:.0f}, p95 {p95:.0f} ms")


if __name__ == "__main__":
    main()
