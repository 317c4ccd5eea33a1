"""A model (language model, rules, constant) to levels, with probabilities where it has them."""

from .load import load_model
from .model import Model, Reply, ask, text_case

__all__ = ["Model", "Reply", "ask", "load_model", "text_case"]
