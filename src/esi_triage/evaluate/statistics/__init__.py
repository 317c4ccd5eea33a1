"""Metrics, intervals and tests over tables of gold and answered levels."""
