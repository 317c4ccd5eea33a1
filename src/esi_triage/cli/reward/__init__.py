"""`esi reward`: reward designs shown, audited, compared, repaired, simulated and recommended."""

from .reward_commands import app

__all__ = ["app"]
