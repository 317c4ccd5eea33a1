"""`esi data`: case tables built, fetched, mapped and checked."""

from .data_commands import app

__all__ = ["app"]
