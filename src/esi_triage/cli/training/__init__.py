"""Experiments: trained one by one or as a series, planned beforehand, exported for other engines."""
