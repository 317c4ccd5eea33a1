"""How close abstention comes to being the best action: the value of a small matrix game.

Nature picks a belief to bring abstention ahead, the answerer an answer to keep it behind: a linear program.
"""

import numpy as np


def abstention_margin(rewards: np.ndarray) -> tuple[float, np.ndarray]:
    """Max over beliefs of (abstention - best answer), and a belief (n,) where it is reached.

    `rewards` is (n, n + 1), abstention last. At 0 or above, abstention is a best action for that belief.
    """
    return game_value(rewards[:, -1:] - rewards[:, :-1])


def game_value(payoffs: np.ndarray) -> tuple[float, np.ndarray]:
    """The value of a zero-sum game for its row player, and that player's optimal mixture (rows,).

    Variables: the mixture and the value v, which is at most mixture · payoffs in every column.
    """
    from scipy.optimize import linprog  # here: it takes longer to load than a command that needs none

    rows, columns = payoffs.shape
    solved = linprog(
        c=[*np.zeros(rows), -1.0],
        A_ub=np.column_stack([-payoffs.T, np.ones(columns)]),
        b_ub=np.zeros(columns),
        A_eq=[[*np.ones(rows), 0.0]],
        b_eq=[1.0],
        bounds=[(0, None)] * rows + [(None, None)],
    )
    return float(solved.x[-1]), solved.x[:-1]
