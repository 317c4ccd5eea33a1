"""A language model on this machine: base and adapter, answering in batches of like length by the card's protocol."""

import tomllib
import zlib
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ..answer import Prompt, load_prompt
from ..errors import InputError
from ..esi import Case
from ..files import sha256_of
from ..train.base import base_of_adapter, load_base, quiet, render_prompt
from .model import Model, Probabilities, Reply, reply_of, streaming_model


@dataclass(frozen=True, slots=True)
class Protocol:
    """How answers are generated. The defaults are the model card's evaluation protocol."""

    max_new_tokens: int = 1024
    temperature: float = 0.1
    do_sample: bool = True
    batch_size: int = 32
    seed: int = 0


def local_model(spec: str, seed: int | None = None) -> Model:
    """The model in a run folder, an adapter folder, or a base. Raises InputError where it cannot be found."""
    quiet()
    folder = Path(spec)
    protocol, prompt, adapter = Protocol(), load_prompt(), None
    if (folder / "experiment.toml").is_file():
        written = tomllib.loads((folder / "experiment.toml").read_text(encoding="utf-8"))
        protocol, prompt = Protocol(**written["evaluate"]), load_prompt(written["prompt"])
        base, tokenizer = load_base(written["base"], smoke=written["profile"] == "smoke")
        adapter = folder / "adapter"
    elif (folder / "adapter_config.json").is_file():
        adapter = folder
        base, tokenizer = load_base(base_of_adapter(folder))
    else:
        base, tokenizer = load_base(spec)
    model: Any = _with_adapter(base, adapter) if adapter else base
    if seed is not None:
        protocol = replace(protocol, seed=seed)
    model.eval()
    weights = sha256_of(adapter / "adapter_model.safetensors") if adapter else ""

    def sample(k: int) -> Model:
        seeded = replace(protocol, seed=protocol.seed + k)

        def stream(cases: Sequence[Case]) -> Generator[list[tuple[int, Reply]], None, None]:
            return generate_replies(model, tokenizer, [case.narrative for case in cases], prompt, seeded)

        identity = f"{base.name_or_path} {weights} {prompt.sha256} {seeded}"
        settings = {"prompt": prompt.name, "prompt_sha256": prompt.sha256, "decoding": asdict(seeded)}
        name = folder.name if folder.exists() else spec
        return streaming_model(name, stream, identity, settings, sample if protocol.do_sample else None)

    return sample(0)


def _with_adapter(base: PreTrainedModel, adapter: Path) -> Any:
    trained_on = base_of_adapter(adapter)
    here = str(base.name_or_path)
    if Path(here).name.startswith("tiny-") and Path(here).name != Path(trained_on).name:
        raise InputError(
            f"{adapter}: it was trained on another build of the tiny base ({Path(trained_on).name}; this version "
            f"builds {Path(here).name}). Train the run again."
        )
    return PeftModel.from_pretrained(base, str(adapter))


def generate_replies(
    model: Any, tokenizer: PreTrainedTokenizerBase, narratives: Sequence[str], prompt: Prompt, protocol: Protocol
) -> Generator[list[tuple[int, Reply]], None, None]:
    """(place, reply) pairs, a batch at a time, batched by length: padding is short, and a lack of memory shows at once.

    A batch's seed is made of its prompts: on CPU the same narratives and protocol give the same replies, also where the
    first batches were answered in a run that was cut short.
    """
    prompts = [render_prompt(tokenizer, narrative, prompt) for narrative in narratives]
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]), reverse=True)
    for start in range(0, len(order), protocol.batch_size):
        rows = order[start : start + protocol.batch_size]
        batch = [prompts[i] for i in rows]
        torch.manual_seed(protocol.seed + zlib.crc32("".join(batch).encode()))
        yield list(zip(rows, _batch(model, tokenizer, batch, protocol), strict=True))


@torch.no_grad()
def _batch(model: Any, tokenizer: Any, prompts: list[str], protocol: Protocol) -> list[Reply]:
    inputs = tokenizer(prompts, return_tensors="pt", padding=True, return_token_type_ids=False).to(model.device)
    sampling = {"temperature": protocol.temperature, "top_k": 0, "top_p": 1.0} if protocol.do_sample else {}
    sequences = model.generate(
        **inputs,
        max_new_tokens=protocol.max_new_tokens,
        do_sample=protocol.do_sample,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        **sampling,
    )
    completions = sequences[:, inputs["input_ids"].shape[1] :]  # (B, T)
    probabilities = _level_probabilities(model, tokenizer, inputs["attention_mask"], sequences, completions.shape[1])
    replies = []
    for ids, levels in zip(completions.tolist(), probabilities, strict=True):
        ended = tokenizer.eos_token_id in ids
        length = ids.index(tokenizer.eos_token_id) + 1 if ended else len(ids)
        text = tokenizer.decode(ids[:length], skip_special_tokens=True)
        replies.append(reply_of(text, tokens=length, truncated=not ended, probabilities=levels))
    return replies


def _level_probabilities(
    model: Any, tokenizer: Any, prompt_mask: torch.Tensor, sequences: torch.Tensor, new: int
) -> list[Probabilities | None]:
    """The model's own odds for the five digits where it wrote one after the last `ESI`, given all it wrote before.

    At temperature 1. None where it wrote no such digit, or where the tokenizer has no single tokens for the digits.
    """
    digits = [tokenizer.encode(str(level), add_special_tokens=False) for level in range(1, 6)]
    if any(len(digit) != 1 for digit in digits):
        return [None] * len(sequences)
    digit_ids = torch.tensor([digit[0] for digit in digits], device=sequences.device)
    mask = torch.cat([prompt_mask, (sequences[:, -new:] != tokenizer.pad_token_id).long()], dim=1)
    places = [_answer_place(tokenizer, row[-new:].tolist()) for row in sequences]
    if all(place is None for place in places):
        return [None] * len(sequences)
    position_ids = (mask.cumsum(1) - 1).clamp(min=0)
    hidden = model.get_base_model() if hasattr(model, "get_base_model") else model
    states = hidden.model(input_ids=sequences, attention_mask=mask, position_ids=position_ids).last_hidden_state
    found: list[Probabilities | None] = []
    for row, place in enumerate(places):
        if place is None:
            found.append(None)
            continue
        logits = hidden.lm_head(states[row, sequences.shape[1] - new + place - 1])
        one, two, three, four, five = torch.softmax(logits[digit_ids].float(), dim=-1).tolist()
        found.append((one, two, three, four, five))
    return found


def _answer_place(tokenizer: Any, ids: list[int]) -> int | None:
    """The index in `ids` of the digit token that ends the last `ANSWER: ESI d`."""
    pieces = [tokenizer.decode([i], skip_special_tokens=True) for i in ids]
    text = "".join(pieces)
    marker = text.rfind("ANSWER: ESI ")
    if marker < 0:
        return None
    end = marker + len("ANSWER: ESI ")
    length = 0
    for place, piece in enumerate(pieces):
        length += len(piece)
        if length > end:
            return place if piece.strip() in {"1", "2", "3", "4", "5"} else None
    return None
