"""Predictions to metrics with intervals, paired tests and reports."""
