"""The five digits that an answer can end with: their tokens, where in a completion it stands, their probabilities."""

from bisect import bisect_left
from typing import Any

import torch

from ...answer import parse


def level_tokens(tokenizer: Any) -> list[int]:
    """The tokens of the digits 1 to 5; none where the tokenizer has no single tokens for them."""
    digits = [tokenizer.encode(str(level), add_special_tokens=False) for level in range(1, 6)]
    return [digit[0] for digit in digits] if all(len(digit) == 1 for digit in digits) else []


def answer_place(tokenizer: Any, ids: list[int], text: str) -> int | None:
    """The index in `ids` of the digit that `parse` takes for the level; None where it is no token of its own."""
    answer = parse(text)
    if answer.span is None:
        return None
    end = answer.span[1]
    place = bisect_left(
        range(len(ids)), end, key=lambda i: len(tokenizer.decode(ids[: i + 1], skip_special_tokens=True))
    )
    exact = tokenizer.decode(ids[: place + 1], skip_special_tokens=True) == text[:end]
    return place if exact and tokenizer.decode(ids[place : place + 1]).strip() == str(answer.level) else None


def level_probabilities(
    tokenizer: Any, ids: list[int], watched: torch.Tensor
) -> tuple[float, float, float, float, float] | None:
    """The policy's probabilities of levels 1 to 5 where a completion answers; None where it does not.

    `watched` (new tokens, 5) are the logits of `level_tokens` before each token, at temperature 1.
    """
    place = answer_place(tokenizer, ids, tokenizer.decode(ids, skip_special_tokens=True))
    if place is None:
        return None
    one, two, three, four, five = torch.softmax(watched[place], dim=-1).tolist()
    return (one, two, three, four, five)
