"""What the guard's settings cost on tuning notes: each voice is answered with a calibration of the others.

    esi data build notes -o notes.parquet
    python benchmarks/guard_settings.py notes.parquet [--write]

The guard of `reader`, of `findings`, and of TF-IDF with logistic regression fitted on the notes of the split train. The
cost of a missed urgent patient (guard.toml, [answer]) and the thresholds ([hand_over]) were chosen on these notes, so
the figures are of development. `--write` puts them into docs/figures.json and between the marks of the documents.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from document_figures import keep
from esi_triage.data.case_table import read_cases
from esi_triage.esi import LEVELS, Case
from esi_triage.evaluate.statistics.intervals import proportion
from esi_triage.page import interval
from esi_triage.predict.baselines.fitted import fit_baselines
from esi_triage.predict.calibration import Calibration, fit_calibration
from esi_triage.predict.guard.conformal import COVERAGES
from esi_triage.predict.guard.guarding import guard_model
from esi_triage.predict.guard.hand_over import GuardSettings, load_settings
from esi_triage.predict.guard.tuning import said
from esi_triage.predict.guard.weighed_rules import weighed_rules
from esi_triage.predict.load import load_model
from esi_triage.predict.model import Model, Reply, ask

COSTS, LEAST = (1.0, 1.5, 2.0, 3.0), (0.5, 0.6, 0.72, 0.8, 0.9)
TUNING = "nurse notes, tuning voices"
Figures = dict[str, dict[str, Any]]


def main() -> None:
    """Print every figure by its name, and keep them where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notes", type=Path)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    cases = [case for case in read_cases(given.notes)[0] if case.split == "tuning" and case.gold]
    rules = ask(weighed_rules(), cases)
    found = answered("guard.rules", cases, rules)
    with tempfile.TemporaryDirectory() as folder:
        fit_baselines(given.notes, Path(folder))
        for name, spec in (("reader", "reader"), ("findings", "findings"), ("tfidf", f"baseline:{folder}/tfidf")):
            found |= settings_of(name, load_model(spec), cases, rules, given.notes)
    shipped = "guard.reader.cost_2"
    found |= {f"guard.notes.{what}": found[f"{shipped}.{what}"] for what in WHAT}
    for name, figure in found.items():
        print(f"{name}: {figure['text']}, n = {figure['n']}")
    if given.write:
        keep(found)


def settings_of(name: str, model: Model, cases: Sequence[Case], rules: Sequence[Reply], file: Path) -> Figures:
    """One learned model: alone, and in the guard with each cost, each least probability and each coverage of sets."""
    replies, shipped = ask(model, cases), load_settings()
    found = answered(f"guard.{name}.alone", cases, replies)
    fitted = calibrations(model.name, cases, replies, rules, file)

    def guarded(settings: GuardSettings) -> list[Reply]:
        return apart(model, cases, replies, fitted, settings)

    def limits(**changed: float) -> GuardSettings:
        return shipped.model_copy(update={"hand_over": shipped.hand_over.model_copy(update=changed)})

    for cost in COSTS:
        found |= answered(f"guard.{name}.cost_{cost:g}", cases, guarded(with_cost(shipped, cost)))
    for least in LEAST:
        found |= answered(f"guard.{name}.least_{least:g}", cases, guarded(limits(least_probability=least)))
    for coverage in COVERAGES:
        about = f"guard.{name}.sets_{100 * coverage:.0f}"
        found |= held_in_sets(about, cases, guarded(limits(coverage=coverage)))
    return found


WHAT = ("exact", "sensitivity_1_2", "kept", "handed_over", "kept_exact", "kept_missed")


def answered(name: str, cases: Sequence[Case], replies: Sequence[Reply], on: str = TUNING) -> Figures:
    """Exact and sensitivity of all answers; how many stand, and of these exact and missed ESI 1-2."""
    rows = list(zip(cases, replies, strict=True))
    kept = [(case, reply) for case, reply in rows if not reply.hand_over]
    held = (
        [case.gold == reply.level for case, reply in rows],
        [(reply.level or 9) <= 2 for case, reply in rows if (case.gold or 9) <= 2],
        [not reply.hand_over for _, reply in rows],
        [bool(reply.hand_over) for _, reply in rows],
        [case.gold == reply.level for case, reply in kept],
        [(case.gold or 9) <= 2 < (reply.level or 9) for case, reply in kept],
    )
    found = {f"{name}.{what}": figure(each, f"{on}: {what}") for what, each in zip(WHAT, held, strict=True)}
    missed = found[f"{name}.kept_missed"]
    return found | {f"{name}.kept_missed.of": {**missed, "text": f"{sum(held[5])} of {len(held[5])}"}}


def held_in_sets(name: str, cases: Sequence[Case], replies: Sequence[Reply]) -> Figures:
    """How often the sets hold the true level, by level."""
    inside = [(case.gold, case.gold in (reply.level_set or ())) for case, reply in zip(cases, replies, strict=True)]
    by_level = {level: [held for gold, held in inside if gold == level] for level in LEVELS}
    what = f"{TUNING}, the guard with a calibration of the other voices: true ESI"
    return {f"{name}.esi_{level}": figure(held, f"{what} {level} in the set") for level, held in by_level.items()}


def figure(held: Sequence[bool], about: str) -> dict[str, Any]:
    """A share as the documents quote it, with its interval (Wilson)."""
    share = proportion(sum(held), len(held))
    return {"text": interval(share), "n": share["n"], "about": about}


def with_cost(settings: GuardSettings, cost: float) -> GuardSettings:
    """The settings with another cost of a true ESI 1-2 called 3 to 5."""
    table = np.array(settings.answer.table)
    table[:2, 2:] = cost
    answer = settings.answer.model_copy(update={"table": tuple(map(tuple, table.tolist()))})
    return settings.model_copy(update={"answer": answer})


def calibrations(
    model: str, cases: Sequence[Case], replies: Sequence[Reply], rules: Sequence[Reply], file: Path
) -> dict[str, Calibration]:
    """By voice, a calibration of all others. A voice is the id's second part."""
    fitted = {}
    for voice in sorted({voice_of(case) for case in cases}):
        rest = [i for i, case in enumerate(cases) if voice_of(case) != voice]
        others = [cases[i] for i in rest], [replies[i] for i in rest], [rules[i] for i in rest]
        fitted[voice] = fit_calibration(model, "", file, *others)
    return fitted


def voice_of(case: Case) -> str:
    return case.case_id.split("-")[1]


def apart(
    model: Model,
    cases: Sequence[Case],
    replies: Sequence[Reply],
    fitted: dict[str, Calibration],
    settings: GuardSettings,
) -> list[Reply]:
    """The guard's replies, each voice's with the calibration of the other voices."""
    found: dict[int, Reply] = {}
    for voice, calibration in fitted.items():
        own = [i for i, case in enumerate(cases) if voice_of(case) == voice]
        guard = guard_model(said(model, [replies[i] for i in own]), calibration, settings)
        found |= dict(zip(own, ask(guard, [cases[i] for i in own]), strict=True))
    return [found[i] for i in range(len(cases))]


if __name__ == "__main__":
    main()
