"""The guard: the rules and a learned model together, and when a person decides."""
