"""Simple models fitted on the training split, which a language model has to beat."""
