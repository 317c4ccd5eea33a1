"""How close silence comes to being the best act: the value of a small matrix game.

Nature picks a belief to bring silence ahead, the answerer an answer to keep it behind. The value is a linear program;
it is solved here by the simplex method on a few rows, because loading SciPy would take longer than the whole audit. The
tests hold it against SciPy's.
"""

import numpy as np


def silence_margin(rewards: np.ndarray) -> tuple[float, np.ndarray]:
    """Max over beliefs of (silence - best answer), and a belief (n,) where it is reached.

    `rewards` is (n, n + 1), silence last. At 0 or above, silence is a best act for that belief.
    """
    return game_value(rewards[:, -1:] - rewards[:, :-1])


def game_value(payoffs: np.ndarray) -> tuple[float, np.ndarray]:
    """The value of a zero-sum game for its row player, and that player's optimal mixture (rows,).

    With payoffs shifted above 0: maximise sum(y) with payoffs · y <= 1, y >= 0; the value is 1 / sum(y), and the prices
    of the rows are the mixture (Dantzig 1951). Bland's rule keeps the pivots from going round in a circle.
    """
    rows, columns = payoffs.shape
    shift = 1.0 - payoffs.min()
    tableau = np.block(
        [
            [payoffs + shift, np.eye(rows), np.ones((rows, 1))],
            [-np.ones((1, columns)), np.zeros((1, rows + 1))],
        ]
    )
    basis = list(range(columns, columns + rows))
    while (gains := np.flatnonzero(tableau[-1, :-1] < -1e-10)).size:
        entering = gains[0]
        column = tableau[:-1, entering]
        ratios = np.full(rows, np.inf)
        ratios[column > 1e-10] = tableau[:-1, -1][column > 1e-10] / column[column > 1e-10]
        leaving = min(np.flatnonzero(ratios <= ratios.min() + 1e-12), key=lambda row: basis[row])
        tableau[leaving] /= tableau[leaving, entering]
        for row in range(rows + 1):
            if row != leaving:
                tableau[row] -= tableau[row, entering] * tableau[leaving]
        basis[leaving] = int(entering)
    prices = tableau[-1, columns:-1]
    return float(1.0 / tableau[-1, -1] - shift), prices / prices.sum()
