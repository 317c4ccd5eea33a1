"""Boosted trees as plain arrays: what scikit-learn has fitted, kept in a file that nobody has to unpickle."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

Arrays = dict[str, NDArray]


def arrays_of(fitted: "HistGradientBoostingClassifier") -> Arrays:
    """The trees of a classifier of three classes or more.

    `feature`, `threshold`, `missing_left`, `left`, `right`, `leaf`, `value` have one entry a node, all trees in one
    row, `left` and `right` counted from the row's start; `root` (iterations, classes) is where each tree begins;
    `start` (classes) is the score before any tree.
    """
    trees = [tree.nodes for iteration in fitted._predictors for tree in iteration]
    sizes = np.array([len(nodes) for nodes in trees])
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    nodes, offset = np.concatenate(trees), np.repeat(roots, sizes)
    return {
        "feature": nodes["feature_idx"].astype(np.int32),
        "threshold": nodes["num_threshold"],
        "missing_left": nodes["missing_go_to_left"].astype(bool),
        "left": (nodes["left"] + offset).astype(np.int32),
        "right": (nodes["right"] + offset).astype(np.int32),
        "leaf": nodes["is_leaf"].astype(bool),
        "value": nodes["value"],
        "root": roots.reshape(len(fitted._predictors), -1).astype(np.int32),
        "start": np.ravel(fitted._baseline_prediction),
    }


def tree_scores(arrays: Arrays, columns: NDArray) -> NDArray[np.float64]:
    """(n, classes): the scores whose softmax are the probabilities. `columns` (n, features), NaN where missing."""
    found = np.tile(arrays["start"].astype(np.float64), (len(columns), 1))
    rows = np.arange(len(columns))
    for roots in arrays["root"]:
        for k, root in enumerate(roots):
            node = np.full(len(columns), root)
            while not arrays["leaf"][node].all():
                value = columns[rows, arrays["feature"][node]]
                missing = np.isnan(value)
                goes_left = np.where(missing, arrays["missing_left"][node], value <= arrays["threshold"][node])
                onward = np.where(goes_left, arrays["left"][node], arrays["right"][node])
                node = np.where(arrays["leaf"][node], node, onward)
            found[:, k] += arrays["value"][node]
    return found
