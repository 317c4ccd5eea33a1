"""Two models on the same cases: the exact McNemar test, and differences with the interval of a paired bootstrap."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, binomtest

from .agreement import gwet_ac2, macro_f1, macro_mae, quadratic_kappa
from .bootstrap import RESAMPLES, kinds_of, patient_codes, percentile_figure, resampled
from .table import SHARES, Levels, Table, cell_of, imagined

SIGNIFICANT = 0.05


def paired(
    gold: Sequence[int], first: Levels, second: Levels, subjects: Sequence[str | None] | None = None
) -> dict[str, Any]:
    """Exact McNemar test of two models' exactness on the same cases.

    `gained`: cases that only `second` has right; `lost`: only `first`. `p` is two-sided and exact (binomial).
    `needed`: of as many discordant cases, how many would have had to fall on one side for p < 0.05; null where all of
    them would not be enough. Where patients have several cases, McNemar's test takes related cases for independent, and
    `p_by_patient` is the one to use: the same test on patients by the sign of their gained less lost.
    """
    right = [np.array([a == g for g, a in zip(gold, levels, strict=True)]) for levels in (first, second)]
    change = right[1].astype(int) - right[0]
    by_patient = np.bincount(patient_codes(subjects, len(gold)), weights=change)
    gained, lost = int((change > 0).sum()), int((change < 0).sum())
    return {
        "n": len(gold),
        "gained": gained,
        "lost": lost,
        "difference": (gained - lost) / len(gold),
        "p": mcnemar(gained, lost),
        "p_by_patient": mcnemar(int((by_patient > 0).sum()), int((by_patient < 0).sum())),
        "needed": needed(gained + lost),
    }


def mcnemar(gained: int, lost: int) -> float:
    """The two-sided exact McNemar p of the two discordant counts: a binomial test against one half; 1 where none."""
    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0


def needed(discordant: int) -> int | None:
    """The fewest of `discordant` cases on one side that give p < 0.05; None where even all of them do not (below 6)."""
    sides = np.arange(discordant // 2, discordant + 1)
    enough = sides[2 * binom.sf(sides - 1, discordant, 0.5) < SIGNIFICANT]
    return int(enough[0]) if enough.size else None


def differences(
    gold: Sequence[int],
    first: Levels,
    second: Levels,
    subjects: Sequence[str | None] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """Second less first for each figure, with the 95 % interval of a bootstrap over patients.

    Both models' answers to a case are drawn together. The cases are tabled by gold, first's and second's answer.
    """
    before, after = cell_of(gold, first), cell_of(gold, second)
    kinds = kinds_of(patient_codes(subjects, len(gold)), before * 6 + after % 6, 180)
    cube = kinds.total.reshape(5, 6, 6)
    drawn = resampled(kinds, resamples, seed, _imagined_pair(cube)).reshape(-1, 5, 6, 6)
    found = {}
    for name, figure in FIGURES.items():
        value, spread = (figure(cubes.sum(-2)) - figure(cubes.sum(-1)) for cubes in (cube, drawn))
        found[name] = percentile_figure(value, spread, len(gold), kinds.patients.sum())
    return found


def _imagined_pair(cube: NDArray[np.float64]) -> NDArray[np.float64]:
    """(180,): half a case in which only one of the two errs, either with the same weight."""
    errs = imagined(cube.sum(-1)).reshape(5, 6) / 4
    pair = np.zeros((5, 6, 6))
    levels = np.arange(5)
    pair[levels, :, levels] += errs
    pair[levels, levels, :] += errs
    return pair.ravel()


def _share(name: str) -> Callable[[Table], Any]:
    counted, among = SHARES[name]

    def share(tables: Table) -> Any:
        cases = (tables * among).sum((-2, -1))
        return np.where(cases > 0, (tables * (counted & among)).sum((-2, -1)) / np.maximum(cases, 1), np.nan)

    return share


# what a comparison shows; of the proportions, those that say how good and how dangerous
FIGURES: dict[str, Callable[[Table], Any]] = {
    "exact": _share("exact"),
    "within_one": _share("within_one"),
    "no_parse": _share("no_parse"),
    "under_triage_or_silent": _share("under_triage_or_silent"),
    "over_triage": _share("over_triage"),
    "severe_under_triage": _share("severe_under_triage"),
    "esi1_sensitivity": _share("esi1_sensitivity"),
    "high_acuity_sensitivity": _share("high_acuity_sensitivity"),
    "high_acuity_specificity": _share("high_acuity_specificity"),
    "qwk": quadratic_kappa,
    "ac2": gwet_ac2,
    "macro_f1": macro_f1,
    "macro_mae": macro_mae,
}
