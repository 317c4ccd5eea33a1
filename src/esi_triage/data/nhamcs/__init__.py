"""NHAMCS, the US survey of emergency department visits, to the case table and its outcomes."""
