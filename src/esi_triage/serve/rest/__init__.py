"""The REST interface under /v1: triage, decisions, model facts, head of the log."""
