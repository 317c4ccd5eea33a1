"""A hospital's own table to the case table, by a map of its columns."""
