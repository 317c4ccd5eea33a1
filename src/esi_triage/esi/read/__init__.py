"""Text to findings: numbers, the person, the phrases of the catalogue and their context."""

from .narrative_reader import read

__all__ = ["read"]
