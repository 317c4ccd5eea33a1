"""What a wrong answer costs: a table of gold by answer, from a file or from how much worse under-triage is."""

import tomllib
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .table import UNDER_BY


def load_costs(file: Path | None = None) -> NDArray[np.float64]:
    """The (5, 6) cost table of a TOML file; without one, the table that ships with the package (costs.toml).

    A file with five columns leaves silence to cost as much as the worst answer in its row. Raises InputError where the
    table is not 5 rows of 5 or 6 numbers >= 0, or where a right answer costs more than another.
    """
    source = file or resources.files("esi_triage.evaluate") / "costs.toml"
    try:
        rows = tomllib.loads(source.read_text(encoding="utf-8")).get("table")
        costs = np.array(rows, dtype=float)
    except OSError as error:
        raise InputError(f"{source}: cannot be read ({error.strerror}); give a TOML file with a cost table.") from None
    except (ValueError, TypeError) as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        raise InputError(f"{source}: no cost table ({error}); give table = [[...], ...], 5 rows of numbers.") from None
    if costs.shape not in ((5, 5), (5, 6)) or not (np.isfinite(costs) & (costs >= 0)).all():
        raise InputError(f"{source}: table must be 5 rows (gold) of 5 or 6 finite numbers >= 0, as in costs.toml.")
    for level in np.flatnonzero(costs.diagonal() > costs.min(axis=1)) + 1:
        raise InputError(f"{source}: table row {level}: the right answer costs more than a wrong one; swap them.")
    return costs if costs.shape == (5, 6) else np.column_stack([costs, costs.max(axis=1)])


def cost_ratio(ratio: float) -> NDArray[np.float64]:
    """(5, 6): one level too urgent costs 1, one too little urgent `ratio`, silence as the worst answer in its row."""
    costs = np.where(UNDER_BY > 0, ratio * UNDER_BY, -UNDER_BY)[:, :5]
    return np.column_stack([costs, costs.max(axis=1)])
