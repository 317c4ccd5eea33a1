"""Batch scoring: an input cut into fixed parts, scored by any number of workers, merged into one file."""
