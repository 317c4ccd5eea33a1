"""A model with its adapter added to the weights for as long as it writes: seven small products a layer less a token."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from peft.tuners.lora import LoraLayer


@contextmanager
def writing(model: Any, bf16: bool = False) -> Iterator[Any]:
    """The causal LM inside `model`, in eval mode and, in float32, with the adapter merged; afterwards all is as before.

    With `bf16` the merged weights are rounded to bfloat16: a step's change is then lost in one weight and kept on the
    average of many, since where each stands between two numbers has nothing to do with the step.

    The weights are put back as they were, not by subtraction, which would leave rounding errors that add up over a run.
    In bfloat16 nothing is merged: steps of 1e-6 of a weight are below its precision, and the trained policy would write
    as if it had not been trained.
    """
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    layers: list[Any] = [layer for layer in inner.modules() if isinstance(layer, LoraLayer) and not layer.merged]
    layers = [layer for layer in layers if layer.get_base_layer().weight.dtype == torch.float32]
    weights = [layer.get_base_layer().weight for layer in layers]
    merged = set(map(id, weights))
    # Not the adapter's own, which a merged layer does not use: a change of type would lose DDP's hooks on them, and
    # each process would learn from its own gradients.
    others = [w for w in inner.parameters() if bf16 and not w.requires_grad and id(w) not in merged]
    before, rest, training = [weight.data for weight in weights], [weight.data for weight in others], inner.training
    try:
        inner.eval()
        for layer, weight, kept in zip(layers, weights, before, strict=True):
            weight.data = kept.clone()
            layer.merge()
            weight.data = weight.data.bfloat16() if bf16 else weight.data
        for weight in others:
            weight.data = weight.data.bfloat16()
        yield inner
    finally:
        for layer, weight, kept in zip(layers, weights, before, strict=True):
            weight.data = kept
            layer.merged_adapters.clear()
        for weight, kept in zip(others, rest, strict=True):
            weight.data = kept
        inner.train(training)
