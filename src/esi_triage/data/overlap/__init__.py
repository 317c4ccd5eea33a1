"""What of a test set a training set has seen: patients, stays, narratives that say nearly the same."""
