"""The reader's encoder without PyTorch: BERT's forward pass in NumPy, the LoRA merged into the weights once.

NumPy's matrix product is the same library call that PyTorch makes on a processor in float32; what is saved is a
gigabyte of installation and seconds of start. `tests/predict/test_reader.py` holds it to transformers' own numbers.
Source of the architecture: Devlin et al. 2019; the order of operations is that of transformers' BertModel.
"""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from scipy.special import erf
from tokenizers import Tokenizer

Array = np.ndarray

HEADS = 12
EPSILON = 1e-12
WINDOW = 256
"""Tokens that are read at once; a longer note is read in windows of this size, whose means are averaged by length."""
WINDOWS = 24
"""Windows of one note that are read at most: 6,096 tokens, more than 20,000 characters of English. Signs without words
give a token each, and a note of such would take many seconds and say nothing."""
_AT_ONCE = 32  # windows in one pass: bounds the memory, however many long notes come together


class Encoder:
    """Texts to vectors: the mean of the last layer's token states.

    `base` is the folder of the base's weights and tokenizer, `adapter` a LoRA in PEFT layout.
    """

    def __init__(self, base: Path, adapter: Path) -> None:
        self._weights = merged(load_file(base / "model.safetensors"), adapter)
        self._tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._layers = 1 + max(int(name.split(".")[2]) for name in self._weights if name.startswith("encoder.layer."))

    @property
    def width(self) -> int:
        """Length of a vector."""
        return self._weights["embeddings.LayerNorm.weight"].shape[0]

    def vectors(self, texts: Sequence[str]) -> tuple[Array, list[int]]:
        """(texts, width) float32, and how many windows each text has, of which the first `WINDOWS` are read."""
        windows = [self._windows(text) for text in texts]
        flat = [(place, window) for place, several in enumerate(windows) for window in several[:WINDOWS]]
        vectors, tokens = np.zeros((len(texts), self.width), np.float32), np.zeros((len(texts), 1), np.float32)
        for start in range(0, len(flat), _AT_ONCE):
            some = flat[start : start + _AT_ONCE]
            states, edge = self._forward([window for _, window in some]), 0
            for place, window in some:
                vectors[place] += states[edge : edge + len(window)].sum(0)
                tokens[place] += len(window)
                edge += len(window)
        return vectors / tokens, [len(several) for several in windows]

    def _windows(self, text: str) -> list[list[int]]:
        ids = self._tokenizer.encode(text).ids
        first, inner, last = ids[0], ids[1:-1], ids[-1]
        step = WINDOW - 2
        return [[first, *inner[i : i + step], last] for i in range(0, max(1, len(inner)), step)]

    def _forward(self, windows: list[list[int]]) -> Array:
        """The states of all tokens of all windows, one after the other: no padding, attention within a window."""
        w = self._weights
        lengths = [len(window) for window in windows]
        edges = np.cumsum([0, *lengths])
        ids = np.fromiter((i for window in windows for i in window), np.int64, int(edges[-1]))
        positions = np.concatenate([np.arange(length) for length in lengths])
        states = (
            w["embeddings.word_embeddings.weight"][ids]
            + w["embeddings.position_embeddings.weight"][positions]
            + w["embeddings.token_type_embeddings.weight"][0]
        )
        states = self._normalised(states, "embeddings.LayerNorm")
        for layer in range(self._layers):
            name = f"encoder.layer.{layer}"
            seen = self._attention(states, f"{name}.attention.self", edges)
            seen = self._linear(seen, f"{name}.attention.output.dense")
            states = self._normalised(states + seen, f"{name}.attention.output.LayerNorm")
            wide = self._linear(states, f"{name}.intermediate.dense")
            seen = self._linear(gelu(wide), f"{name}.output.dense")
            states = self._normalised(states + seen, f"{name}.output.LayerNorm")
        return states

    def _attention(self, states: Array, name: str, edges: Array) -> Array:
        query, key, value = (self._linear(states, f"{name}.{part}") for part in ("query", "key", "value"))
        size = states.shape[1] // HEADS
        seen = np.empty_like(states)
        for start, end in pairwise(edges):
            q, k, v = (x[start:end].reshape(-1, HEADS, size).transpose(1, 0, 2) for x in (query, key, value))
            scores = softmax(q @ k.transpose(0, 2, 1) / np.float32(np.sqrt(size)))
            seen[start:end] = (scores @ v).transpose(1, 0, 2).reshape(end - start, -1)
        return seen

    def _linear(self, states: Array, name: str) -> Array:
        return states @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _normalised(self, states: Array, name: str) -> Array:
        centred = states - states.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred * centred).mean(-1, keepdims=True) + EPSILON)
        return scaled * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


def merged(base: dict[str, Array], adapter: Path) -> dict[str, Array]:
    """The base's weights with the LoRA of `adapter` (PEFT layout) added: W + (alpha / r) B A."""
    settings = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    lora = load_file(adapter / "adapter_model.safetensors")
    scale = np.float32(settings["lora_alpha"] / settings["r"])
    for name in [name for name in lora if name.endswith(".lora_A.weight")]:
        part = name.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
        a, b = (lora[name.replace("lora_A", which)].astype(np.float32) for which in ("lora_A", "lora_B"))
        base[f"{part}.weight"] = base[f"{part}.weight"] + scale * (b @ a)
    return base


def gelu(x: Array) -> Array:
    """x Phi(x), exact (not the tanh approximation), as BERT has it."""
    return 0.5 * x * (1.0 + erf(x / np.float32(np.sqrt(2.0))))


def softmax(x: Array) -> Array:
    """Over the last axis."""
    raised = np.exp(x - x.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)
