"""How the tiny base is made: a tokenizer from its text, then language modelling on whole texts, from nothing.

This is the one training loop of our own. TRL and transformers have no trainer for two optimizers side by side (Muon for
matrices, AdamW for the rest), and with AdamW alone a model this small does not learn to copy within minutes.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen3_5ForCausalLM, Qwen3_5TextConfig, set_seed

from ...esi import Case
from ...progress import bar
from .muon import Muon
from .tiny_corpus import base_texts

_START_OF_ANSWER = "<|im_start|>assistant\n"


def build_base(recipe: dict[str, Any], template: str, place: Path, visits: Sequence[Case] = ()) -> None:
    """Build the base that `recipe` (tiny.toml) describes and save it in bfloat16, with its tokenizer, in `place`."""
    n = recipe["steps"] * recipe["batch_size"]
    texts = list(base_texts(recipe, max(n, 500), visits))
    tokenizer = train_tokenizer(texts[:3000], recipe["tokenizer"]["vocab_size"], template)
    ids: dict[str, Any] = {"pad_token_id": tokenizer.pad_token_id, "eos_token_id": tokenizer.eos_token_id}
    set_seed(recipe["seed"])
    model = Qwen3_5ForCausalLM(Qwen3_5TextConfig(vocab_size=len(tokenizer), **recipe["architecture"], **ids))
    remember_long(model)
    pretrain(model, tokenizer, texts[:n], recipe)
    model.bfloat16().save_pretrained(place)
    tokenizer.save_pretrained(place)


def pretrain(model: Any, tokenizer: Any, texts: list[str], recipe: dict[str, Any]) -> None:
    """One pass over `texts`, loss on the answers; warm-up, then a cosine to a twentieth of the learning rate."""
    settings, size, steps = recipe["optimizer"], recipe["batch_size"], recipe["steps"]
    optimizers = _optimizers(model, settings)
    model.train()
    with bar("tiny base", steps, "step") as shown:
        for step in range(steps):
            warm = min(1.0, (step + 1) / settings["warmup_steps"])
            rate = warm * (0.05 + 0.95 * (1 + math.cos(math.pi * step / steps)) / 2)
            for optimizer, peak in optimizers:
                optimizer.param_groups[0]["lr"] = peak * rate
            loss = model(**_batch(tokenizer, texts[step * size : (step + 1) * size])).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), settings["max_grad_norm"])
            for optimizer, _ in optimizers:
                optimizer.step()
            model.zero_grad()
            shown.set_postfix_str(f"loss {loss.item():.3f}", refresh=False)
            shown.update()


def remember_long(model: Any) -> None:
    """Start the gated-DeltaNet layers with a slow decay.

    transformers starts them with one that forgets within a token or two, which suits loading weights, not making them.
    Here as in the published recipe of Mamba-2 and Gated DeltaNet: time steps spread from 0.001 to 0.1.
    """
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("dt_bias"):
                steps = torch.exp(torch.linspace(math.log(0.001), math.log(0.1), parameter.numel()))
                parameter.copy_(steps + torch.log(-torch.expm1(-steps)))  # the inverse of softplus
            elif name.endswith("A_log"):
                parameter.zero_()


def _optimizers(model: Any, settings: dict[str, Any]) -> list[tuple[torch.optim.Optimizer, float]]:
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    chosen = {id(parameter) for parameter in matrices}
    others = [parameter for parameter in model.parameters() if id(parameter) not in chosen]
    muon = Muon(matrices, weight_decay=settings["weight_decay"])
    adamw = torch.optim.AdamW(others, betas=(0.9, 0.98), weight_decay=0.0)
    return [(muon, settings["muon_learning_rate"]), (adamw, settings["adamw_learning_rate"])]


def _batch(tokenizer: Any, texts: list[str]) -> dict[str, torch.Tensor]:
    """(B, T) ids, mask and labels; labels are -100 on the prompt and on padding."""
    batch = tokenizer(texts, return_tensors="pt", padding=True, padding_side="right", return_token_type_ids=False)
    labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
    for row, text in enumerate(texts):
        prompt = text[: text.index(_START_OF_ANSWER) + len(_START_OF_ANSWER)]
        labels[row, : len(tokenizer(prompt)["input_ids"])] = -100
    return {**batch, "labels": labels}


def train_tokenizer(texts: list[str], vocab_size: int, template: str) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer with Qwen's turn markers, its way of cutting text, and its chat template."""
    bpe = Tokenizer(models.BPE())
    # words with their space, single digits, punctuation, line breaks; then bytes
    pieces = Regex(r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
    cut = pre_tokenizers.Split(pieces, behavior="isolated")
    to_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    bpe.pre_tokenizer = pre_tokenizers.Sequence([cut, to_bytes])  # pyright: ignore[reportAttributeAccessIssue]
    bpe.decoder = decoders.ByteLevel()  # pyright: ignore[reportAttributeAccessIssue]
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=["<|im_start|>"],
        padding_side="left",
        chat_template=template,
        clean_up_tokenization_spaces=False,
    )
