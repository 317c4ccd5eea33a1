"""What a wrong answer costs: a table of gold by answer, from a file or from how much worse under-triage is."""

from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...reading import read_toml


def load_costs(file: Path | None = None, levels: int = 5) -> NDArray[np.float64]:
    """The (n, n + 1) cost table of a TOML file; without one, the table that ships with the package (costs.toml).

    Where a file has n columns, no answer costs as much as the worst answer in its row. Raises InputError where the
    table is not n rows of n or n + 1 numbers >= 0, or where a right answer costs more than another.
    """
    n = levels
    source = file or resources.files("esi_triage.evaluate.statistics") / "costs.toml"
    rows = read_toml(source, "Give a TOML file with a cost table.").get("table")
    try:
        costs = np.array(rows, dtype=float)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{source}: no cost table ({error}); give table = [[...], ...], {n} rows of numbers."
        ) from None
    if costs.shape not in ((n, n), (n, n + 1)) or not (np.isfinite(costs) & (costs >= 0)).all():
        raise InputError(
            f"{source}: table must be {n} rows (gold) of {n} or {n + 1} finite numbers >= 0, as in costs.toml."
        )
    for level in np.flatnonzero(costs.diagonal() > costs.min(axis=1)) + 1:
        raise InputError(f"{source}: table row {level}: the right answer costs more than a wrong one; swap them.")
    return costs if costs.shape == (n, n + 1) else np.column_stack([costs, costs.max(axis=1)])


def cost_ratio(ratio: float) -> NDArray[np.float64]:
    """(5, 6): one level too urgent costs 1, one too little urgent `ratio`, no answer as the worst answer in its row."""
    levels = np.arange(1.0, 6)
    under_by = levels - levels[:, None]  # gold in rows: how many levels too little urgent
    costs = np.where(under_by > 0, ratio * under_by, -under_by)
    return np.column_stack([costs, costs.max(axis=1)])
