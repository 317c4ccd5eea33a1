"""The service: a page for a person, an API for a program, CDS Hooks for a hospital system, and a decision log."""
