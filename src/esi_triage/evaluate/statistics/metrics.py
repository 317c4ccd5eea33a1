"""From predicted and gold levels to numbers, each with its n and its 95 % interval.

An answer without a level is wrong, stays in every denominator and is never dropped; the same figures over the answered
cases alone come second, as `complete_case`. Proportions have Wilson's interval (intervals.py), all other figures that
of a bootstrap over clusters (bootstrap.py). How a missing answer enters a figure that has no place for it: kappa.py.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...esi import LEVELS
from ..scored import Scored
from .calibration_curve import Probabilities, calibration
from .confusion import ANSWER, EVERYONE, GOLD, NEAR, SHARES, Levels, Table, chance, share_function
from .costs import cost_ratio, load_costs
from .intervals import LEVEL, Figure
from .kappa import class_f1, expected_cost, gwet_ac2, macro_f1, macro_mae, quadratic_kappa
from .paired_tests import FIGURES

RATIOS = (1, 2, 5, 10)  # how much worse a level of under-triage may be than a level of over-triage


def metrics(
    scored: Scored,
    *,
    probabilities: Sequence[Probabilities | None] | None = None,
    strict: Sequence[bool] | None = None,
    truncated: Sequence[bool] | None = None,
    gold_sources: Sequence[str | None] | None = None,
    costs: NDArray[np.float64] | None = None,
) -> dict[str, Any]:
    """Every figure of one model on one set of cases, as plain JSON values.

    `probabilities` of ESI 1 to 5 add `calibration`; `strict` (the full format was kept) adds `strict_format` and the
    figures under strict parsing; `truncated` its share; `gold_sources` (nurse, expert-confirmed, engine, ...) adds the
    figures by who assigned gold, apart. `costs` is a (5, 6) table as in costs.toml. ValueError where lengths do not
    match.
    """
    costs = load_costs() if costs is None else costs
    measured = {
        **figures(scored, costs),
        "complete_case": figures(scored.only(scored.cells % 6 < 5), costs),
        "predicted_share": _predicted_shares(scored),
        "per_class": _per_class(scored),
        "confusion": confusion(scored),
        "best_constant": best_constant(scored, "exact"),
        "best_constant_within_one": best_constant(scored, "within_one"),
        "costs": costs.tolist(),
        "expected_cost_by_ratio": {
            str(ratio): scored.figure(expected_cost(cost_ratio(ratio)), corrected=True) for ratio in RATIOS
        },
        "intervals": _method(scored),
    }
    if probabilities is not None:
        measured["calibration"] = calibration(scored, probabilities)
    if strict is not None:
        kept: Levels = [level if full else None for level, full in zip(scored.predicted, strict, strict=True)]
        measured |= {"strict_format": scored.share_of(strict), "strict_parse": figures(scored.answered(kept), costs)}
    if truncated is not None:
        measured["truncated"] = scored.share_of(truncated)
    if gold_sources is not None:
        measured["by_gold_source"] = by_group(scored, gold_sources, costs)
    return measured


def figures(scored: Scored, costs: NDArray[np.float64]) -> dict[str, Any]:
    """`n`, every proportion of confusion.py, and agreement, error and cost."""
    return {
        "n": scored.n,
        **{name: scored.share(counted, among) for name, (counted, among) in SHARES.items()},
        **{name: scored.figure(function, name in _SMOOTH) for name, function in _figure_functions(costs).items()},
    }


def chance_figures(scored: Scored, costs: NDArray[np.float64]) -> dict[str, Any]:
    """`figures` of answers drawn by the shares of the levels in gold: expected values, computed, not drawn.

    Nothing is left to chance but the shares themselves: the intervals are those of a bootstrap over clusters.
    """
    functions = {name: share_function(name) for name in SHARES} | _figure_functions(costs)
    return {"n": scored.n} | {name: scored.figure(_by_chance(f)) for name, f in functions.items()}


def chance_differences(scored: Scored) -> dict[str, Any]:
    """The model less chance for each figure of a comparison, on the same resamples."""
    return {
        name: scored.figure(lambda tables, f=function: f(tables) - f(chance(tables)))
        for name, function in FIGURES.items()
    }


def _by_chance(function: Callable[[Table], Any]) -> Callable[[Table], Any]:
    return lambda tables: function(chance(tables))


_SMOOTH = ("qwk", "ac2", "expected_cost")  # their intervals are corrected for bias


def _figure_functions(costs: NDArray[np.float64]) -> dict[str, Callable[[Table], Any]]:
    return {
        "qwk": quadratic_kappa,
        "ac2": gwet_ac2,
        "macro_f1": macro_f1,
        "macro_mae": macro_mae,
        "expected_cost": expected_cost(costs),
    }


def by_group(
    scored: Scored, groups: Sequence[str | None], costs: NDArray[np.float64] | None = None
) -> dict[str, dict[str, Any]]:
    """The figures of each group apart, the largest first; cases whose group is null are the group "not recorded"."""
    costs = load_costs() if costs is None else costs
    named = np.array(["not recorded" if group is None else str(group) for group in groups])
    if len(named) != scored.n:
        raise ValueError(f"{scored.n} gold levels but {len(named)} groups")
    names, sizes = np.unique(named, return_counts=True)
    return {str(name): figures(scored.only(named == name), costs) for name in names[np.argsort(-sizes, kind="stable")]}


def confusion(scored: Scored) -> list[list[int]]:
    """5 rows (gold 1 to 5) by 6 columns (predicted 1 to 5, then no answer)."""
    return np.bincount(scored.cells, minlength=30).reshape(5, 6).tolist()


def best_constant(scored: Scored, by: str = "exact") -> dict[str, Any]:
    """The level that, given as everybody's answer, is best by `by` (exact or within_one) here, and what it scores.

    Survey weights count where the answers have them: the best answer for the patients, not for the sample.
    """
    gold, reach = scored.total.sum(axis=1), {"exact": 0, "within_one": 1}
    level = max(LEVELS, key=lambda k: gold[np.abs(GOLD.ravel() - k) <= reach[by]].sum())
    constant = scored.answered([level] * scored.n)
    return {"level": level, **{name: constant.share(*SHARES[name]) for name in reach}}


def _predicted_shares(scored: Scored) -> dict[str, Figure]:
    columns = {str(level): level == ANSWER for level in LEVELS} | {"None": np.isnan(ANSWER)}
    return {name: scored.share(column & EVERYONE, EVERYONE) for name, column in columns.items()}


def _per_class(scored: Scored) -> dict[str, Any]:
    """By level: sensitivity (of the cases at it, how many were called so), within one, predictive value, F1."""
    found = {}
    for level in LEVELS:
        row, column = (level == GOLD) & EVERYONE, (level == ANSWER) & EVERYONE
        found[str(level)] = {
            "gold_n": int(scored.total[level - 1].sum()),
            "predicted_n": int(scored.total[:, level - 1].sum()),
            "sensitivity": scored.share(column, row),
            "within_one": scored.share(NEAR, row),
            "ppv": scored.share(row, column),
            "f1": scored.figure(lambda tables, level=level: class_f1(tables)[..., level - 1]),
        }
    return found


def _method(scored: Scored) -> dict[str, Any]:
    return {
        "level": LEVEL,
        "patients": int(scored.clusters.max(initial=-1)) + 1,
        "proportions": "Wilson, n divided by the design effect of several cases a cluster",
        "others": "percentile bootstrap over clusters, smoothed by one pseudo-observation; of kappa, AC2 and cost "
        "corrected for bias",
        "resamples": scored.resamples,
        "seed": scored.seed,
    }
