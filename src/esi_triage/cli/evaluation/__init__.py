"""Models: evaluated, compared, calibrated, listed; the trivial baselines; a model card."""
