"""What the guard's settings cost on tuning notes: each voice is answered with a calibration of the others.

    esi data build notes -o notes.parquet
    python benchmarks/guard_settings.py notes.parquet [--model reader] [--write]

The cost of a missed urgent patient (guard.toml, [answer]) and the least probability that stands ([hand_over]) were
chosen on these notes, so the figures are of development. `--write` puts those of the guard as it ships, with the
reader, into docs/figures.json and between the marks of the documents.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from document_figures import keep
from esi_triage.data.case_table import read_cases
from esi_triage.esi import LEVELS, Case
from esi_triage.evaluate.statistics.intervals import proportion, wilson
from esi_triage.page import interval
from esi_triage.predict.calibration import fit_calibration
from esi_triage.predict.guard.conformal import COVERAGES
from esi_triage.predict.guard.cost_of_reasons import AS_SET, cost_of_reasons
from esi_triage.predict.guard.guarding import guard_model
from esi_triage.predict.guard.hand_over import GuardSettings, load_settings
from esi_triage.predict.guard.tuning import said
from esi_triage.predict.load import load_model
from esi_triage.predict.model import Reply, ask
from esi_triage.predict.rules_model import rules_model

COSTS, LEAST = (1.0, 1.5, 2.0, 3.0), (0.5, 0.6, 0.7, 0.8, 0.9)


def main() -> None:
    """Print a line for each cost, and one for each least probability at the cost of guard.toml."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notes", type=Path)
    parser.add_argument("--model", default="reader")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    if given.write and given.model != "reader":
        parser.error("--write is for the guard that ships: leave --model out.")
    cases = [case for case in read_cases(given.notes)[0] if case.split == "tuning" and case.gold]
    replies, rules = ask(load_model(given.model), cases), ask(rules_model(), cases)
    shipped = load_settings()
    told("rules alone", cases, rules)
    told(f"{given.model} alone", cases, replies)
    for cost in COSTS:
        told(
            f"guard, a missed ESI 1-2 costs {cost:g}",
            cases,
            apart(cases, replies, rules, with_cost(shipped, cost), given),
        )
    for least in LEAST:
        hand_over = shipped.hand_over.model_copy(update={"least_probability": least})
        guarded = apart(cases, replies, rules, shipped.model_copy(update={"hand_over": hand_over}), given)
        kept = next(row for row in cost_of_reasons(cases, guarded, list(shipped.reasons)) if row.name == AS_SET)
        right, missed = share(kept.right, kept.n), share(kept.missed, kept.n)
        stands = f"kept {share(kept.n, kept.total)}, of these exact {right}"
        print(f"least probability {least}: {stands}, ESI 1-2 called 3-5 {missed}")
    for coverage in COVERAGES:
        hand_over = shipped.hand_over.model_copy(update={"coverage": coverage})
        sets_told(
            coverage, cases, apart(cases, replies, rules, shipped.model_copy(update={"hand_over": hand_over}), given)
        )
    if given.write:
        keep(as_shipped(cases, apart(cases, replies, rules, shipped, given)))


def as_shipped(cases: Sequence[Case], replies: Sequence[Reply]) -> dict[str, dict[str, Any]]:
    """What the documents quote of the guard, as `document_figures.keep` takes it."""
    rows = list(zip(cases, replies, strict=True))
    kept = [(case, reply) for case, reply in rows if not reply.hand_over]
    counted = {
        "exact": [case.gold == reply.level for case, reply in rows],
        "sensitivity_1_2": [(reply.level or 9) <= 2 for case, reply in rows if (case.gold or 9) <= 2],
        "handed_over": [bool(reply.hand_over) for _, reply in rows],
        "kept_exact": [case.gold == reply.level for case, reply in kept],
        "kept_missed": [(case.gold or 9) <= 2 < (reply.level or 9) for case, reply in kept],
    }
    found: dict[str, dict[str, Any]] = {}
    for name, held in counted.items():
        share = proportion(sum(held), len(held))
        about = f"guard with the reader on nurse notes, tuning voices, each with a calibration of the others: {name}"
        found[f"guard.notes.{name}"] = {"text": interval(share), "n": share["n"], "about": about}
    return found


def with_cost(settings: GuardSettings, cost: float) -> GuardSettings:
    """The settings with another cost of a true ESI 1-2 called 3 to 5."""
    table = np.array(settings.answer.table)
    table[:2, 2:] = cost
    answer = settings.answer.model_copy(update={"table": tuple(map(tuple, table.tolist()))})
    return settings.model_copy(update={"answer": answer})


def apart(
    cases: Sequence[Case],
    replies: Sequence[Reply],
    rules: Sequence[Reply],
    settings: GuardSettings,
    given: argparse.Namespace,
) -> list[Reply]:
    """The guard's replies, each voice's with a calibration of the other voices. A voice is the id's second part."""
    voices = [case.case_id.split("-")[1] for case in cases]
    found: dict[int, Reply] = {}
    for voice in sorted(set(voices)):
        own = [i for i, name in enumerate(voices) if name == voice]
        rest = [i for i, name in enumerate(voices) if name != voice]
        calibration = fit_calibration(
            given.model,
            "",
            given.notes,
            [cases[i] for i in rest],
            [replies[i] for i in rest],
            [rules[i] for i in rest],
        )
        model = guard_model(said(load_model(given.model), [replies[i] for i in own]), calibration, settings)
        found |= dict(zip(own, ask(model, [cases[i] for i in own]), strict=True))
    return [found[i] for i in range(len(cases))]


def told(name: str, cases: Sequence[Case], replies: Sequence[Reply]) -> None:
    """Exact and sensitivity for ESI 1-2, with intervals."""
    urgent = [i for i, case in enumerate(cases) if (case.gold or 9) <= 2]
    exact = share(sum(reply.level == case.gold for case, reply in zip(cases, replies, strict=True)), len(cases))
    found = share(sum((replies[i].level or 9) <= 2 for i in urgent), len(urgent))
    print(f"{name}: exact {exact}, sensitivity 1-2 {found}")


def sets_told(coverage: float, cases: Sequence[Case], replies: Sequence[Reply]) -> None:
    """How often the sets hold the true level, by level."""
    inside = [(case.gold, case.gold in (reply.level_set or ())) for case, reply in zip(cases, replies, strict=True)]
    by_level = {level: [held for gold, held in inside if gold == level] for level in LEVELS}
    said = ", ".join(f"ESI {level} {share(sum(held), len(held))}" for level, held in by_level.items())
    print(f"sets at {100 * coverage:.0f} % hold the true level: {said}")


def share(k: int, n: int) -> str:
    """k of n in per cent, with its 95 % interval (Wilson)."""
    low, high = wilson(k / n, n)
    return f"{100 * k / n:.1f} % ({100 * low:.0f} to {100 * high:.0f}; {k} of {n})"


if __name__ == "__main__":
    main()
