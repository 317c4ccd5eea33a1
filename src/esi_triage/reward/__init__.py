"""Reward designs as data, and the one function that scores an answer with them."""

from .design import Design, design_names, load_design
from .score import Score, approximate_tokens, score
from .trl import reward_functions

__all__ = ["Design", "Score", "approximate_tokens", "design_names", "load_design", "reward_functions", "score"]
