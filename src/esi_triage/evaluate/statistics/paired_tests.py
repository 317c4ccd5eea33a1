"""Two models on the same cases: the exact McNemar test, and differences with the interval of a paired bootstrap."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, binomtest

from ..scored import Scored
from .bootstrap import kinds_of, percentile_figure, resampled
from .confusion import Table, pseudo_observation, share_function
from .kappa import gwet_ac2, macro_f1, macro_mae, quadratic_kappa

SIGNIFICANT = 0.05


def paired(first: Scored, second: Scored) -> dict[str, Any]:
    """Exact McNemar test of two models' exactness on the same cases.

    `gained`: cases that only `second` has right; `lost`: only `first`. `p` is two-sided and exact (binomial).
    `needed`: of as many discordant cases, how many would have had to fall on one side for p < 0.05; null where all of
    them would not be enough. Where clusters (patients, hospitals) have several cases, McNemar's test takes related
    cases for independent, and `p_by_patient` is the one to use: the same test on clusters by the sign of their gained
    less lost.
    """
    change = second.right.astype(int) - first.right
    gained, lost = int((change > 0).sum()), int((change < 0).sum())
    return {
        "n": first.n,
        "gained": gained,
        "lost": lost,
        "difference": (gained - lost) / first.n,
        "p": mcnemar(gained, lost),
        "p_by_patient": clustered_mcnemar(change, first.clusters),
        "needed": needed(gained + lost),
    }


def mcnemar(gained: int, lost: int) -> float:
    """The two-sided exact McNemar p of the two discordant counts: a binomial test against one half; 1 where none."""
    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0


def clustered_mcnemar(change: NDArray[Any], clusters: NDArray[np.intp]) -> float:
    """McNemar's p of clusters by the sign of their gained less lost. `change` (n,): 1 where gained, -1 where lost."""
    by_cluster = np.bincount(clusters, weights=change)
    return mcnemar(int((by_cluster > 0).sum()), int((by_cluster < 0).sum()))


def needed(discordant: int) -> int | None:
    """The fewest of `discordant` cases on one side that give p < 0.05; None where even all of them do not (below 6)."""
    sides = np.arange(discordant // 2, discordant + 1)
    enough = sides[2 * binom.sf(sides - 1, discordant, 0.5) < SIGNIFICANT]
    return int(enough[0]) if enough.size else None


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for their number, in their order (Holm 1979)."""
    order = np.argsort(p_values)
    stepped = np.sort(p_values) * np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1)
    return adjusted.tolist()


def differences(first: Scored, second: Scored) -> dict[str, Any]:
    """Second less first for each figure, with the 95 % interval of a bootstrap over clusters.

    Both models' answers to a case are drawn together. The cases are tabled by gold, first's and second's answer.
    """
    kinds = kinds_of(first.clusters, first.cells * 6 + second.cells % 6, 180)
    cube = kinds.total.reshape(5, 6, 6)
    drawn = resampled(kinds, first.resamples, first.seed, _pseudo_pair(cube)).reshape(-1, 5, 6, 6)
    found = {}
    for name, figure in FIGURES.items():
        value, spread = (figure(cubes.sum(-2)) - figure(cubes.sum(-1)) for cubes in (cube, drawn))
        found[name] = percentile_figure(value, spread, first.n, kinds.clusters.sum())
    return found


def _pseudo_pair(cube: NDArray[np.float64]) -> NDArray[np.float64]:
    """(180,): half a case in which only one of the two errs, either with the same weight."""
    errs = pseudo_observation(cube.sum(-1)).reshape(5, 6) / 4
    pair = np.zeros((5, 6, 6))
    levels = np.arange(5)
    pair[levels, :, levels] += errs
    pair[levels, levels, :] += errs
    return pair.ravel()


# what a comparison shows; of the proportions, those that say how good and how dangerous
FIGURES: dict[str, Callable[[Table], Any]] = {
    "exact": share_function("exact"),
    "within_one": share_function("within_one"),
    "no_parse": share_function("no_parse"),
    "under_triage_or_silent": share_function("under_triage_or_silent"),
    "over_triage": share_function("over_triage"),
    "severe_under_triage": share_function("severe_under_triage"),
    "esi1_sensitivity": share_function("esi1_sensitivity"),
    "high_acuity_sensitivity": share_function("high_acuity_sensitivity"),
    "high_acuity_specificity": share_function("high_acuity_specificity"),
    "qwk": quadratic_kappa,
    "ac2": gwet_ac2,
    "macro_f1": macro_f1,
    "macro_mae": macro_mae,
}
