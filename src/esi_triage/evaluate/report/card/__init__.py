"""The model card of a run and its reporting checklists."""
