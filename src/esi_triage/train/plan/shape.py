"""The sizes of a model that decide memory and time, counted on the model itself, built without its weights."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, LlamaConfig, PretrainedConfig, Qwen3_5TextConfig

from ...errors import InputError
from ..adapter import new_adapter, trainable_parameters
from ..bases import BASES
from ..experiment import LoraSettings
from ..tiny.tiny_base import SHIPPED


@dataclass(frozen=True, slots=True)
class Shape:
    """Counts of numbers, not bytes; `saved_bytes` is what autograd keeps of `tokens` tokens in `value_bytes` each."""

    parameters: int
    input_embedding: int  # not read when a token is decoded; 0 where the head shares it
    adapter: int
    layers: int
    hidden: int
    vocabulary: int
    kv_per_token: int  # keys and values of the layers with full attention
    state_per_row: int  # recurrent state of the gated-DeltaNet layers, always float32
    value_bytes: int
    saved_bytes: int
    tokens: int


def shape_of(base: str, lora: LoraSettings, rows: int, tokens: int, gpu: bool) -> Shape:
    """The shape of `base` with an adapter, and what one pass over `rows` x `tokens` keeps for the backward pass.

    Weights are bfloat16 on a GPU and float32 without; nothing is downloaded: the 9B's sizes are those of its class.
    """
    config = config_of(base)
    dtype = torch.bfloat16 if gpu else torch.float32
    with torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(config, dtype=dtype)
        numbers = sum(weight.numel() for weight in model.parameters())
        embedding = 0 if config.tie_word_embeddings else model.get_input_embeddings().weight.numel()
        model = new_adapter(model, lora)
    types = getattr(config, "layer_types", None) or ["full_attention"] * config.num_hidden_layers
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    full = types.count("full_attention")
    linear = types.count("linear_attention")
    state = linear and config.linear_num_value_heads * config.linear_key_head_dim * config.linear_value_head_dim
    return Shape(
        parameters=numbers,
        input_embedding=embedding,
        adapter=trainable_parameters(model),
        layers=config.num_hidden_layers,
        hidden=config.hidden_size,
        vocabulary=config.vocab_size,
        kv_per_token=full * 2 * config.num_key_value_heads * head,
        state_per_row=linear * state,
        value_bytes=dtype.itemsize,
        saved_bytes=_saved_of_all_layers(config, lora, rows, tokens, gpu),
        tokens=rows * tokens,
    )


def config_of(base: str) -> PretrainedConfig:
    """The text model's configuration of a base by name, or of a folder or hub id."""
    if base == "tiny":
        return AutoConfig.from_pretrained(SHIPPED)
    if base == "qwen3.5-9b":
        return Qwen3_5TextConfig(tie_word_embeddings=False)  # the class's own sizes are the 9B's
    if base == "smollm2":
        sizes: dict[str, Any] = {
            "hidden_size": 576,
            "intermediate_size": 1536,
            "num_hidden_layers": 30,
            "vocab_size": 49_152,
        }
        return LlamaConfig(**sizes, num_attention_heads=9, num_key_value_heads=3, tie_word_embeddings=True)
    if base not in BASES and not Path(base).is_dir():
        raise InputError(f"--base {base}: no base of that name; give {', '.join(BASES)}, or a folder with a model.")
    try:
        return AutoConfig.from_pretrained(base if Path(base).is_dir() else (BASES[base].hub or base)).get_text_config()
    except (ValueError, KeyError, TypeError) as error:  # of a config.json that is damaged or of something else
        raise InputError(f"--base {base}: its config.json cannot be read ({error}).") from None


def _saved_of_all_layers(config: PretrainedConfig, lora: LoraSettings, rows: int, tokens: int, gpu: bool) -> int:
    """Counted on one and on two periods of the layers (Qwen3.5: three of gated DeltaNet, one of attention).

    The first period keeps less than those that follow: before the first adapter nothing needs a gradient.
    """
    types = getattr(config, "layer_types", None) or ["full_attention"] * config.num_hidden_layers
    period = next(n for n in range(1, len(types) + 1) if types == types[:n] * (len(types) // n))
    dtype = torch.bfloat16 if gpu else torch.float32

    def counted(layers: int) -> int:
        short = {**config.to_dict(), "num_hidden_layers": layers}
        if getattr(config, "layer_types", None):
            short["layer_types"] = types[:layers]
        with torch.device("meta"):
            model = new_adapter(AutoModelForCausalLM.from_config(type(config)(**short), dtype=dtype), lora).to(dtype)
            return saved_bytes(model, rows, tokens)

    first = counted(period)
    more = len(types) // period - 1
    return first + more * (counted(2 * period) - first) if more else first


def saved_bytes(model: Any, rows: int, tokens: int) -> int:
    """Bytes that autograd keeps of a forward pass through the layers (not the head); weights are not counted.

    Nor are attention weights (tokens x tokens a head): where there are no data PyTorch counts on its plain attention,
    which keeps them; the fused one that runs on a processor and a GPU does not.
    """
    inner = model.get_base_model().model
    weights = {weight.untyped_storage()._cdata for weight in model.parameters()}
    kept: dict[int, torch.Tensor] = {}  # by storage; the tensor is held, so that no storage's number comes up again

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.shape[-2:] != (tokens, tokens) or not tensor.is_floating_point():
            kept.setdefault(tensor.untyped_storage()._cdata, tensor)
        return tensor

    device = next(model.parameters()).device
    ids = torch.zeros((rows, tokens), dtype=torch.long, device=device)
    mask: Any = torch.ones((rows, 1, tokens, tokens), dtype=torch.bool, device=device).tril()  # as padded rows have it
    if "linear_attention" in (getattr(inner.config, "layer_types", None) or ()):
        mask = {"full_attention": mask, "linear_attention": torch.ones_like(ids)}
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        out = inner(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
    assert out.shape[:2] == (rows, tokens)
    return sum(t.untyped_storage().nbytes() for key, t in kept.items() if key not in weights)
