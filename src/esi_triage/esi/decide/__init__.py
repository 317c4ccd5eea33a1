"""Findings to a decision: decision points A and B, points C and D, vital-sign limits, handbook v5 and v4."""

from .algorithm import assess, decide

__all__ = ["assess", "decide"]
