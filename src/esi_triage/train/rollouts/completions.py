"""Complete prompts: one prefill for prompts that are the same, and no work on rows that have ended.

What comes out has the distribution of transformers' `generate`; greedy, in float32, it is the same token by token.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from transformers import DynamicCache, PreTrainedTokenizerBase
from transformers.generation.logits_process import (
    LogitsProcessorList,
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen; `temperature` None is greedy. `top_k` and `min_p` of 0 and `top_p` of 1 are off."""

    max_new_tokens: int
    temperature: float | None
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0

    def warpers(self) -> LogitsProcessorList:
        """What is done to the logits, in the order of `generate`."""
        found = LogitsProcessorList()
        if self.temperature not in (None, 1.0):
            found.append(TemperatureLogitsWarper(float(self.temperature)))
        if self.top_k > 0:
            found.append(TopKLogitsWarper(self.top_k))
        if self.top_p < 1:
            found.append(TopPLogitsWarper(self.top_p))
        if self.min_p > 0:
            found.append(MinPLogitsWarper(self.min_p))
        return found


class Completion(NamedTuple):
    """The new tokens, the end-of-turn included where it came; of each, the logits of the watched tokens before it."""

    ids: list[int]
    watched: torch.Tensor  # (new tokens, watched tokens), float32, at temperature 1


@torch.no_grad()
def complete_prompts(
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Sequence[int]],
    sampling: Sampling,
    watched: Sequence[int] = (),
) -> list[Completion]:
    """A completion of each prompt (token ids), in order. `model` is a causal LM without a PEFT wrapper, in eval mode.

    Random numbers are torch's own: the same seed and prompts give the same completions on a CPU.
    """
    device = model.device
    unique = list(dict.fromkeys(map(tuple, prompts)))
    place = {prompt: i for i, prompt in enumerate(unique)}
    rows = torch.tensor([place[tuple(prompt)] for prompt in prompts], device=device)  # row -> its prompt
    ids, mask = _left_padded(unique, int(_id(tokenizer.pad_token_id)), device)
    cache = DynamicCache(config=model.config)
    logits = _forward(model, ids, mask, cache)
    cache.reorder_cache(rows)  # pyright: ignore[reportArgumentType]
    steps = _Steps(logits[rows], mask[rows], cache, torch.arange(len(rows), device=device))
    return _decoded(model, steps, sampling, int(_id(tokenizer.eos_token_id)), list(watched))


class _Steps(NamedTuple):
    """What goes from step to step, of the rows that are still written: `row` is where each stands in the batch."""

    logits: torch.Tensor
    mask: torch.Tensor
    cache: DynamicCache
    row: torch.Tensor


def _decoded(model: Any, steps: _Steps, sampling: Sampling, end: int, watched: list[int]) -> list[Completion]:
    n, warpers, none = len(steps.row), sampling.warpers(), torch.empty(0, dtype=torch.long)
    tokens = torch.full((n, sampling.max_new_tokens), end, device=steps.row.device)
    seen = torch.zeros((n, sampling.max_new_tokens, len(watched)), device=steps.row.device)
    lengths = torch.full((n,), sampling.max_new_tokens, device=steps.row.device)
    alive = torch.ones(n, dtype=torch.bool, device=steps.row.device)
    for step in range(sampling.max_new_tokens):
        scores = warpers(none, steps.logits)  # pyright: ignore[reportArgumentType]
        token = scores.argmax(-1) if sampling.temperature is None else _drawn(scores)
        here = steps.row[alive]
        tokens[here, step], seen[here, step] = token[alive], steps.logits[alive][:, watched]
        lengths[steps.row[alive & (token == end)]] = step + 1
        alive = alive & (token != end)
        left = int(alive.sum())
        if left == 0 or step + 1 == sampling.max_new_tokens:
            break
        if left <= len(alive) * 7 // 8:  # a copy of the cache costs about as much as a step of an eighth of the rows
            steps, token, alive = _only(steps, alive), token[alive], alive[alive]
        mask = torch.cat([steps.mask, steps.mask.new_ones(len(token), 1)], dim=1)
        logits = _forward(model, token[:, None], mask, steps.cache)
        steps = steps._replace(logits=logits, mask=mask)
    ends = lengths.tolist()
    return [
        Completion(row[:k], seen[i, :k].cpu()) for i, (row, k) in enumerate(zip(tokens.tolist(), ends, strict=True))
    ]


def _only(steps: _Steps, alive: torch.Tensor) -> _Steps:
    keep = alive.nonzero()[:, 0]
    steps.cache.reorder_cache(keep)  # pyright: ignore[reportArgumentType]
    return _Steps(steps.logits[keep], steps.mask[keep], steps.cache, steps.row[keep])


def _drawn(scores: torch.Tensor) -> torch.Tensor:
    """A token of each row by one random number: torch.multinomial draws one for every token of the vocabulary, which
    takes as long as the layers of a small base do."""
    below = torch.softmax(scores, dim=-1).double().cumsum(-1)
    drawn = torch.rand(len(below), 1, dtype=torch.double, device=below.device) * below[:, -1:]
    return torch.searchsorted(below, drawn, right=True)[:, 0]  # right: never a token of probability 0


def _forward(model: Any, ids: torch.Tensor, mask: torch.Tensor, cache: DynamicCache) -> torch.Tensor:
    """The logits after the last token, in float32; the cache goes on by `ids`."""
    positions = (mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
    found = model(
        input_ids=ids,
        attention_mask=mask,
        position_ids=positions,
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    return found.logits[:, -1].float()


def _left_padded(prompts: Sequence[Sequence[int]], pad: int, device: Any) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(map(len, prompts))
    ids = torch.tensor([[pad] * (longest - len(p)) + list(p) for p in prompts], device=device)
    mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts], device=device)
    return ids, mask


def _id(token: Any) -> int:
    assert isinstance(token, int)
    return token
