"""Reward designs as data, the one function that scores an answer with them, and what is found out about them untrained.

`audit` is exact arithmetic; `repair`, `compare` and `simulate` are modules of their own. `Watch` looks at a run:
it needs transformers, which is loaded when it is asked for.
"""

from typing import TYPE_CHECKING, Any

from .audit import Audit, AuditFinding, audit
from .design import Design, design_names, load_design
from .run_findings import Limits
from .score import Score, approximate_tokens, score
from .trl import reward_functions

if TYPE_CHECKING:
    from .watch import Watch

__all__ = [
    "Audit",
    "AuditFinding",
    "Design",
    "Limits",
    "Score",
    "Watch",
    "approximate_tokens",
    "audit",
    "design_names",
    "load_design",
    "reward_functions",
    "score",
]


def __getattr__(name: str) -> Any:
    if name == "Watch":
        from .watch import Watch

        return Watch
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
