"""A model with its adapter added to the weights for as long as it writes: seven small products a layer less a token."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from peft.tuners.lora import LoraLayer


@contextmanager
def writing(model: Any) -> Iterator[Any]:
    """The causal LM inside `model`, in eval mode and, in float32, with the adapter merged; afterwards all is as before.

    The weights are put back as they were, not by subtraction, which would leave rounding errors that add up over a run.
    In bfloat16 nothing is merged: steps of 1e-6 of a weight are below its precision, and the trained policy would write
    as if it had not been trained.
    """
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    layers: list[Any] = [layer for layer in inner.modules() if isinstance(layer, LoraLayer) and not layer.merged]
    layers = [layer for layer in layers if layer.get_base_layer().weight.dtype == torch.float32]
    before, training = [layer.get_base_layer().weight.data for layer in layers], inner.training
    try:
        inner.eval()
        for layer, weight in zip(layers, before, strict=True):
            layer.get_base_layer().weight.data = weight.clone()
            layer.merge()
        yield inner
    finally:
        for layer, weight in zip(layers, before, strict=True):
            layer.get_base_layer().weight.data = weight
            layer.merged_adapters.clear()
        inner.train(training)
