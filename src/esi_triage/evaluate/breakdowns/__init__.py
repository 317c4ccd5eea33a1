"""The same figures on parts of a case set, against baselines, and under changes of the text."""
