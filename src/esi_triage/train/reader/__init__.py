"""The reader: a small encoder with a LoRA and two heads, text in, five probabilities out (docs/models.md)."""
