"""Agreement and harm of whole tables of answers; each function takes (..., 5, 6) tables and returns (...) numbers.

No answer counts as the answer farthest from gold (gold 1 to 3: as ESI 5, gold 4 and 5: as ESI 1), so that no model
gains by it. A figure that a table does not define (no cases, one level only) is NaN. The macro figures rest on the
levels that occur in gold: with a handful of cases at one of them their intervals are too narrow.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .confusion import UNDER_BY, Table

_DISTANCE = np.abs(UNDER_BY[:, :5])
_FARTHEST = np.array([4, 4, 4, 0, 0])
_LINEAR = 1 - _DISTANCE / 4  # Gwet's linear weights: 1 for the same level, 0 for ESI 1 against ESI 5
_QUADRATIC = _DISTANCE**2


def no_answer_as_farthest(tables: Table) -> Table:
    """(..., 5, 6) to (..., 5, 5)."""
    square = tables[..., :5].astype(float)
    square[..., np.arange(5), _FARTHEST] += tables[..., 5]
    return square


def quadratic_kappa(tables: Table) -> Any:
    """Cohen's kappa with quadratic weights (Cohen 1968)."""
    square = no_answer_as_farthest(tables)
    gold, answered, n = square.sum(-1), square.sum(-2), square.sum((-2, -1))
    observed = (square * _QUADRATIC).sum((-2, -1)) * n
    expected = np.einsum("...i,ij,...j->...", gold, _QUADRATIC, answered)
    return 1 - _divided(observed, expected)


def gwet_ac2(tables: Table) -> Any:
    """Gwet's AC2 with linear weights (Gwet 2014, Handbook of Inter-Rater Reliability, 4th ed., ch. 3)."""
    square = no_answer_as_farthest(tables)
    shares = _divided(square, square.sum((-2, -1))[..., None, None])
    agreed = (shares * _LINEAR).sum((-2, -1))
    level = (shares.sum(-1) + shares.sum(-2)) / 2
    by_chance = _LINEAR.sum() / 20 * (level * (1 - level)).sum(-1)
    return _divided(agreed - by_chance, 1 - by_chance)


def class_f1(tables: Table) -> Any:
    """F1 of each level, (..., 5); NaN for a level that is neither gold nor answered."""
    right = np.diagonal(tables[..., :5], axis1=-2, axis2=-1)
    return _divided(2 * right, tables.sum(-1) + tables[..., :5].sum(-2))


def macro_f1(tables: Table) -> Any:
    """Mean F1 over the levels that occur in gold."""
    return _mean_over_gold(class_f1(tables), tables)


def macro_mae(tables: Table) -> Any:
    """Mean distance to gold in levels, first within each gold level, then over the levels that occur in gold."""
    square = no_answer_as_farthest(tables)
    return _mean_over_gold(_divided((square * _DISTANCE).sum(-1), square.sum(-1)), tables)


def expected_cost(costs: np.ndarray) -> Callable[[Table], Any]:
    """The mean cost of an answer under a (5, 6) cost table, as a function of tables."""
    return lambda tables: _divided((tables * costs).sum((-2, -1)), tables.sum((-2, -1)))


def _mean_over_gold(by_level: np.ndarray, tables: Table) -> Any:
    there = tables.sum(-1) > 0
    return _divided(np.where(there, by_level, 0).sum(-1), there.sum(-1))


def _divided(above: Any, below: Any) -> Any:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(below == 0, np.nan, np.divide(above, below))
