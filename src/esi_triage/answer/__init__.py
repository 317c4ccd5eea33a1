"""What a model is asked and what it says back: prompt, format, parse, verify."""

from .format import LABELS, Reasoning, lines_of, write
from .parse import Answer, parse
from .prompt import Prompt, current_name, load_prompt, messages
from .verify import Verification, verify

__all__ = [
    "LABELS",
    "Answer",
    "Prompt",
    "Reasoning",
    "Verification",
    "current_name",
    "lines_of",
    "load_prompt",
    "messages",
    "parse",
    "verify",
    "write",
]
