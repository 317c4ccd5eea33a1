"""Reward designs as data, the one function that scores an answer with them, and the audit that looks for trouble."""

from .audit import Audit, Finding, audit
from .design import Design, design_names, load_design
from .score import Score, approximate_tokens, score
from .trl import reward_functions

__all__ = [
    "Audit",
    "Design",
    "Finding",
    "Score",
    "approximate_tokens",
    "audit",
    "design_names",
    "load_design",
    "reward_functions",
    "score",
]
