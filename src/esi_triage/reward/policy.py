"""What an audit assumes about the world: how common each level is, and how the warm start confuses them."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..reading import read_json
from .design import Design

# Adults of MIMIC-IV-ED v1.0 with an acuity, ESI 1 to 5 (Xie et al., Scientific Data 2022)
MIMIC_IV_ED = (25_363, 147_178, 236_954, 30_731, 1_211)

# The warm start of the model card (v43) was exact in about 65 % of cases.
SKILL = 0.65
# An error of the assumed warm start is four times less likely with each level farther. With equally common levels, 75
# to 80 % of its errors are then adjacent, as 6 of v46's 8 errors on the card are. No such figure is known for v43.
FARTHER = 1 / 4


def read_prior(text: str, n: int) -> np.ndarray:
    """(n,): `mimic-iv-ed` (five levels), `uniform`, or n shares joined by commas that sum to one."""
    if text == "uniform":
        return np.full(n, 1 / n)
    if text == "mimic-iv-ed":
        if n != len(MIMIC_IV_ED):
            raise InputError(f"--prior mimic-iv-ed: it has 5 levels, the table has {n}; give uniform or {n} shares.")
        return np.array(MIMIC_IV_ED) / sum(MIMIC_IV_ED)
    try:
        shares = [float(share) for share in text.split(",")]
    except ValueError:
        raise InputError(f"--prior {text}: give mimic-iv-ed, uniform, or {n} shares joined by commas.") from None
    if len(shares) != n:
        raise InputError(f"--prior {text}: it has {len(shares)} shares, the table has {n} levels; give one for each.")
    if not all(math.isfinite(share) and share >= 0 for share in shares):
        raise InputError(f"--prior {text}: a share is a number from 0 to 1.")
    if abs(sum(shares) - 1) > 1e-6:
        raise InputError(f"--prior {text}: the shares sum to {sum(shares):g}; they must sum to 1.")
    return np.array(shares) / sum(shares)


def default_prior(n: int) -> str:
    """MIMIC-IV-ED's shares where there are five levels, else equal ones."""
    return "mimic-iv-ed" if n == len(MIMIC_IV_ED) else "uniform"


def training_shares(prior: np.ndarray, design: Design) -> np.ndarray:
    """(n,): the shares in training, where level g is drawn `oversample[g]` times as often."""
    weights = prior * np.array([design.oversample[level] for level in design.levels])
    return weights / weights.sum()


def warm_start(prior: np.ndarray, skill: float = SKILL) -> np.ndarray:
    """(n, n + 1): P(answer | gold) of an assumed warm start that is exact with probability `skill` at every level.

    Its errors fall on the other levels by how common these are and by a factor `FARTHER` for each step of distance, as
    those of a model do that was fitted to these shares by maximum likelihood. It always answers.
    """
    if not 0 < skill <= 1:
        raise InputError(f"--skill {skill:g}: the share of exact answers is above 0 and at most 1.")
    n = len(prior)
    distance = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    weights = FARTHER**distance * np.maximum(prior, 1e-12)  # a level that never occurs may still be the only other one
    np.fill_diagonal(weights, 0.0)
    answers = (1 - skill) * weights / weights.sum(axis=1, keepdims=True) + skill * np.eye(n)
    return np.column_stack([answers, np.zeros(n)])


def cut_off(policy: np.ndarray, share: float) -> np.ndarray:
    """(n, n + 1): the same policy when that share of its answers is cut at the token limit and scores as no answer."""
    if not 0 <= share < 1:
        raise InputError(f"--cut {share:g}: the share of answers that are cut is at least 0 and below 1.")
    abstention = np.eye(policy.shape[1])[-1]
    return (1 - share) * policy + share * abstention


def read_confusion(place: Path, n: int) -> np.ndarray:
    """(n, n + 1): P(answer | gold) as measured: a run folder, its metrics.json, or a JSON file with counts.

    Counts are n rows (gold) of n answers, or of n answers and no answer; a row without cases is an InputError.
    """
    file = place
    if place.is_dir():
        file = next((f for f in (place / "metrics.json", place / "evaluation" / "metrics.json") if f.is_file()), None)
        if file is None:
            raise InputError(f"{place}: no metrics.json in this folder; evaluate the run first (`esi evaluate`).")
    values: Any = read_json(file, "Give a JSON file of counts.")
    try:
        counts = np.array(values.get("confusion") if isinstance(values, dict) else values, dtype=float)
    except (TypeError, ValueError, OverflowError):
        counts = np.empty(0)
    if counts.shape not in ((n, n), (n, n + 1)):
        raise InputError(f"{file}: a confusion is {n} rows (gold) of {n} or {n + 1} counts (answers, then no answer).")
    if not (np.isfinite(counts).all() and (counts >= 0).all()):
        raise InputError(f"{file}: every count of the confusion must be a number of at least 0.")
    totals = counts.sum(axis=1, keepdims=True)
    if not totals.all():
        empty = int(np.flatnonzero(totals == 0)[0]) + 1
        raise InputError(f"{file}: gold level {empty} has no cases; a policy needs at least one for every level.")
    return (counts if counts.shape == (n, n + 1) else np.column_stack([counts, np.zeros(n)])) / totals
