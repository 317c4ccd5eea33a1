"""MIMIC-IV-ED v2.2 and its open demo to the case table."""
