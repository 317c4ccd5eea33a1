"""From predicted and gold levels to numbers, each with its n and its 95 % interval.

An answer without a level is wrong, stays in every denominator and is never dropped; the same figures over the answered
cases alone come second, as `complete_case`. Proportions have Wilson's interval (intervals.py), all other figures that
of a bootstrap over patients (bootstrap.py). How silence enters a figure that has no place for it: agreement.py.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..esi import LEVELS
from .agreement import class_f1, expected_cost, gwet_ac2, macro_f1, macro_mae, quadratic_kappa
from .answers import Answers, answers_of
from .bootstrap import RESAMPLES, kinds_of, patient_codes
from .calibration import Probabilities, calibration
from .compare import mcnemar, paired
from .costs import cost_ratio, load_costs
from .intervals import LEVEL, Figure, Proportion, clustered_proportion, proportion
from .table import ANSWER, EVERYONE, GOLD, NEAR, SHARES, SILENT, Levels, cell_of

__all__ = ["Figure", "Proportion", "by_group", "figures", "mcnemar", "metrics", "paired", "proportion", "share_of"]

RATIOS = (1, 2, 5, 10)  # how much worse a level of under-triage may be than a level of over-triage


def metrics(
    gold: Sequence[int],
    predicted: Levels,
    *,
    subjects: Sequence[str | None] | None = None,
    probabilities: Sequence[Probabilities | None] | None = None,
    strict: Sequence[bool] | None = None,
    truncated: Sequence[bool] | None = None,
    gold_sources: Sequence[str | None] | None = None,
    costs: NDArray[np.float64] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """Every figure of one model on one set of cases, as plain JSON values.

    `gold` are levels 1 to 5; `predicted` has the same length, null for no answer. `subjects` are the patients (null: a
    patient of its own). `probabilities` of ESI 1 to 5 add `calibration`; `strict` (the full format was kept) adds
    `strict_format` and the figures under strict parsing; `truncated` its share; `gold_sources` (nurse,
    expert-confirmed, engine, ...) adds the figures by who assigned gold, apart. `costs` is a (5, 6) table as in
    costs.toml. ValueError where lengths do not match or a level is none.
    """
    patients = patient_codes(subjects, len(gold))
    kinds = kinds_of(patients, cell_of(gold, predicted), 30)
    costs = load_costs() if costs is None else costs
    answers = answers_of(kinds, resamples, seed)
    measured = {
        **figures(answers, costs),
        "complete_case": figures(answers_of(kinds.only(~SILENT.ravel()), resamples, seed), costs),
        "predicted_share": _predicted_shares(answers),
        "per_class": _per_class(answers),
        "confusion": confusion(gold, predicted),
        "best_constant": best_constant(gold, "exact", subjects),
        "best_constant_within_one": best_constant(gold, "within_one", subjects),
        "costs": costs.tolist(),
        "expected_cost_by_ratio": {
            str(ratio): answers.figure(expected_cost(cost_ratio(ratio)), corrected=True) for ratio in RATIOS
        },
        "intervals": _method(patients, resamples, seed),
    }
    if probabilities is not None:
        measured["calibration"] = calibration(gold, predicted, probabilities, patients, resamples, seed)
    if strict is not None:
        kept = [level if full else None for level, full in zip(predicted, strict, strict=True)]
        strictly = answers_of(kinds_of(patients, cell_of(gold, kept), 30), resamples, seed)
        measured |= {"strict_format": share_of(strict, patients), "strict_parse": figures(strictly, costs)}
    if truncated is not None:
        measured["truncated"] = share_of(truncated, patients)
    if gold_sources is not None:
        measured["by_gold_source"] = by_group(gold, predicted, gold_sources, subjects, costs, resamples, seed)
    return measured


def figures(answers: Answers, costs: NDArray[np.float64]) -> dict[str, Any]:
    """`n`, every proportion of table.py, and agreement, error and cost."""
    return {
        "n": answers.n,
        **{name: answers.share(counted, among) for name, (counted, among) in SHARES.items()},
        "qwk": answers.figure(quadratic_kappa, corrected=True),
        "ac2": answers.figure(gwet_ac2, corrected=True),
        "macro_f1": answers.figure(macro_f1),
        "macro_mae": answers.figure(macro_mae),
        "expected_cost": answers.figure(expected_cost(costs), corrected=True),
    }


def by_group(
    gold: Sequence[int],
    predicted: Levels,
    groups: Sequence[str | None],
    subjects: Sequence[str | None] | None = None,
    costs: NDArray[np.float64] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, dict[str, Any]]:
    """The figures of each group apart, the largest first; cases whose group is null are the group "not recorded"."""
    cells, patients = cell_of(gold, predicted), patient_codes(subjects, len(gold))
    costs = load_costs() if costs is None else costs
    named = np.array(["not recorded" if group is None else str(group) for group in groups])
    if len(named) != len(cells):
        raise ValueError(f"{len(cells)} gold levels but {len(named)} groups")
    names, sizes = np.unique(named, return_counts=True)
    return {
        str(name): figures(
            answers_of(kinds_of(patients[named == name], cells[named == name], 30), resamples, seed), costs
        )
        for name in names[np.argsort(-sizes, kind="stable")]
    }


def confusion(gold: Sequence[int], predicted: Levels) -> list[list[int]]:
    """5 rows (gold 1 to 5) by 6 columns (predicted 1 to 5, then no answer)."""
    return np.bincount(cell_of(gold, predicted), minlength=30).reshape(5, 6).tolist()


def best_constant(
    gold: Sequence[int], by: str = "exact", subjects: Sequence[str | None] | None = None
) -> dict[str, Any]:
    """The level that, given as everybody's answer, is best by `by` (exact or within_one) here, and what it scores."""
    levels, patients = np.array(gold, dtype=int), patient_codes(subjects, len(gold))
    reach = {"exact": 0, "within_one": 1}
    level = max(LEVELS, key=lambda k: np.count_nonzero(np.abs(levels - k) <= reach[by]))
    near = {name: share_of(np.abs(levels - level) <= steps, patients) for name, steps in reach.items()}
    return {"level": level, **near}


def _predicted_shares(answers: Answers) -> dict[str, Figure]:
    columns = {str(level): level == ANSWER for level in LEVELS} | {"None": np.isnan(ANSWER)}
    return {name: answers.share(column & EVERYONE, EVERYONE) for name, column in columns.items()}


def _per_class(answers: Answers) -> dict[str, Any]:
    """By level: sensitivity (of the cases at it, how many were called so), within one, predictive value, F1."""
    found = {}
    for level in LEVELS:
        row, column = (level == GOLD) & EVERYONE, (level == ANSWER) & EVERYONE
        found[str(level)] = {
            "gold_n": int(answers.total[level - 1].sum()),
            "predicted_n": int(answers.total[:, level - 1].sum()),
            "sensitivity": answers.share(column, row),
            "within_one": answers.share(NEAR, row),
            "ppv": answers.share(row, column),
            "f1": answers.figure(lambda tables, level=level: class_f1(tables)[..., level - 1]),
        }
    return found


def share_of(flags: Sequence[bool] | NDArray[np.bool_], patients: NDArray[np.intp]) -> Figure:
    """The share of cases that are flagged; `patients` has each case's patient (patient_codes)."""
    kinds = kinds_of(patients, np.array(flags, dtype=np.intp), 2)
    return clustered_proportion(kinds.tables[:, 1], kinds.tables.sum(axis=1), kinds.patients)


def _method(patients: NDArray[np.intp], resamples: int, seed: int) -> dict[str, Any]:
    return {
        "level": LEVEL,
        "patients": int(patients.max(initial=-1)) + 1,
        "proportions": "Wilson, n divided by the design effect of several cases a patient",
        "others": "percentile bootstrap over patients, smoothed by one imagined case; of kappa, AC2 and cost "
        "corrected for bias",
        "resamples": resamples,
        "seed": seed,
    }
