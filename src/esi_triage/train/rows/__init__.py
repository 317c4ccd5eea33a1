"""The rows that an experiment trains on: the cases drawn for it, and their shape for TRL."""
