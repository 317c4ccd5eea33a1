"""The open corpus: vignettes with ESI levels, so that the whole chain runs without credentials."""
