"""Sources to the case table, and the case table to training examples. No torch."""
