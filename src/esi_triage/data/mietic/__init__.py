"""MIETIC 1.0.0 to the case table."""
