"""Completions of a causal LM: the samples of `generate` with less work, for rollouts and for prediction."""
