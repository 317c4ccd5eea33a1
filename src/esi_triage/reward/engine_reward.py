"""The reward as other engines call it: with text, where TRL has token ids. Same parser, same scorer, same number."""

from functools import cache
from pathlib import Path
from typing import Any

from ..answer import parse
from .design import Design, load_design
from .score import score


def engine_reward(text: str, gold: int | str, folder: Path) -> float:
    """The reward of the completion `text`, for an export in `folder`: its design.toml, its adapter's tokenizer.

    The length is counted in the base's tokens, with the end of the turn, which engines leave out of the text. Raises
    InputError where the design is not there, ValueError where `gold` is no level.
    """
    design, tokenizer = _loaded(folder)
    tokens = len(tokenizer.encode(text, add_special_tokens=False).ids) + 1
    return score(parse(text), int(gold), design, tokens).total


@cache
def _loaded(folder: Path) -> tuple[Design, Any]:
    from tokenizers import Tokenizer

    return load_design(str(folder / "design.toml")), Tokenizer.from_file(str(folder / "adapter" / "tokenizer.json"))
