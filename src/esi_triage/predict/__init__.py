"""A model (language model, rules, constant) to levels, with probabilities where it has them."""

from .load import load_model
from .model import Model, Reply

__all__ = ["Model", "Reply", "load_model"]
