"""A language model on this machine: base and adapter, answering in batches of like length by the card's protocol."""

import threading
import zlib
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ..answer import Prompt, current_name, load_prompt
from ..atomic_files import sha256_of
from ..errors import InputError
from ..esi import Case
from ..reading import read_toml
from ..train.adapter import base_of_adapter, check_base
from ..train.base_models import fingerprint, load_base, multiplies_bfloat16, quiet, render_prompt
from ..train.bases import notice_of
from ..train.rollouts.completions import Sampling, complete_prompts
from ..train.rollouts.digits import level_probabilities, level_tokens
from ..train.rollouts.merged import writing
from .model import WITHOUT_CHAIN, Model, Probabilities, Reply, reply_of

# A service may ask from several threads; torch's random state, and the weights while an adapter is merged, are shared.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True, slots=True)
class Protocol:
    """How answers are generated. The defaults are the model card's evaluation protocol."""

    max_new_tokens: int = 1024
    temperature: float = 0.1
    do_sample: bool = True
    batch_size: int = 32
    seed: int = 0
    bf16: bool = False


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What stands behind a name: base with adapter, tokenizer, prompt, how it answers, and what its base is."""

    model: Any
    tokenizer: PreTrainedTokenizerBase
    prompt: Prompt
    protocol: Protocol
    base: str
    identity: str


def local_model(spec: str, seed: int | None = None, fast: bool = False) -> Model:
    """The model in a run folder, an adapter folder, or a base. Raises InputError where it cannot be found.

    `fast`: it writes no chain; its probabilities of the five digits after "ANSWER: ESI" are the answer.
    """
    quiet()
    folder = Path(spec)
    loaded = _loaded(folder, spec)
    if fast:
        return _without_chain(loaded, folder.name if folder.exists() else spec)
    first = loaded.protocol if seed is None else replace(loaded.protocol, seed=seed)
    return _sample(loaded, folder.name if folder.exists() else spec, first, 0)


def _loaded(folder: Path, spec: str) -> _Loaded:
    protocol, prompt, adapter = Protocol(), load_prompt(), None
    if (folder / "experiment.toml").is_file():
        written = read_toml(folder / "experiment.toml")
        try:
            protocol = Protocol(**written["evaluate"])
            prompt = load_prompt(current_name(written["prompt"], folder / "experiment.toml"))
            name, smoke, adapter = str(written["base"]), written["profile"] == "smoke", folder / "adapter"
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{folder / 'experiment.toml'}: not as `esi train` writes it ({error}).") from None
    elif (folder / "adapter_config.json").is_file():
        (name, smoke), adapter = base_of_adapter(folder), folder
    else:
        name, smoke = spec, False
    base, tokenizer = load_base(name, smoke)
    known = fingerprint(base)
    model = _with_adapter(base, adapter) if adapter else base
    model.eval()
    weights = sha256_of(adapter / "adapter_model.safetensors") if adapter else ""
    return _Loaded(model, tokenizer, prompt, protocol, name, f"{base.name_or_path} {known} {weights} {prompt.sha256}")


def _with_adapter(base: PreTrainedModel, adapter: Path) -> Any:
    base_of_adapter(adapter)  # names what is missing where it is no adapter
    check_base(adapter, base)
    return PeftModel.from_pretrained(base, str(adapter))


def _sample(loaded: _Loaded, name: str, first: Protocol, k: int) -> Model:
    """The model with the random state of its sample `k`, from 0."""
    protocol = replace(first, seed=first.seed + k)

    def stream(cases: Sequence[Case]) -> Generator[list[tuple[int, Reply]], None, None]:
        narratives = [case.narrative for case in cases]
        return generate_replies(loaded.model, loaded.tokenizer, narratives, loaded.prompt, protocol)

    prompt = loaded.prompt
    return Model(
        name=name,
        stream=stream,
        identity=f"{loaded.identity} {protocol}",
        settings={"prompt": prompt.name, "prompt_sha256": prompt.sha256, "decoding": asdict(protocol)},
        again=(lambda more: _sample(loaded, name, first, k + more)) if protocol.do_sample else None,
        notice=notice_of(loaded.base),
    )


def _without_chain(loaded: _Loaded, name: str) -> Model:
    """The model that answers at once. Its answers are deterministic."""
    prompt = loaded.prompt
    beginning, digits = _answer_beginning(loaded.tokenizer, name)

    def stream(cases: Sequence[Case]) -> Generator[list[tuple[int, Reply]], None, None]:
        asked = [render_prompt(loaded.tokenizer, case.narrative, prompt) + beginning for case in cases]
        order = sorted(range(len(asked)), key=lambda i: len(asked[i]), reverse=True)
        for start in range(0, len(order), loaded.protocol.batch_size):
            rows = order[start : start + loaded.protocol.batch_size]
            found = _digit_probabilities(loaded.model, loaded.tokenizer, [asked[i] for i in rows], digits)
            yield list(zip(rows, map(_at_once, found), strict=True))

    return Model(
        name=f"{name} (fast)",
        stream=stream,
        identity=f"{loaded.identity} fast",
        settings={"prompt": prompt.name, "prompt_sha256": prompt.sha256, "decoding": WITHOUT_CHAIN},
        notice=notice_of(loaded.base),
    )


def _at_once(probabilities: Probabilities) -> Reply:
    level = max(range(1, 6), key=lambda k: probabilities[k - 1])
    return reply_of(f"ANSWER: ESI {level}", probabilities=probabilities)


def _answer_beginning(tokenizer: Any, name: str) -> tuple[str, list[int]]:
    """The text before the digit, and the token of each digit: text and digit together are one token more than text."""
    for beginning in ("ANSWER: ESI ", "ANSWER: ESI"):
        space = "" if beginning.endswith(" ") else " "
        before = tokenizer.encode(beginning, add_special_tokens=False)
        after = [tokenizer.encode(f"{beginning}{space}{k}", add_special_tokens=False) for k in range(1, 6)]
        if all(ids[:-1] == before for ids in after):
            return beginning, [ids[-1] for ids in after]
    raise InputError(f"--fast: the tokenizer of {name} has no single tokens for the digits 1 to 5; leave --fast out.")


@torch.no_grad()
def _digit_probabilities(model: Any, tokenizer: Any, prompts: list[str], digits: list[int]) -> list[Probabilities]:
    """The next token's probabilities among the five digits, at temperature 1, by one pass over each prompt."""
    inputs = tokenizer(prompts, return_tensors="pt", padding=True, return_token_type_ids=False).to(model.device)
    mask = inputs["attention_mask"]
    position_ids = (mask.cumsum(1) - 1).clamp(min=0)
    hidden = model.get_base_model() if hasattr(model, "get_base_model") else model
    states = hidden.model(**inputs, position_ids=position_ids).last_hidden_state
    last = mask.shape[1] - 1 - mask.flip(1).argmax(1)  # of the prompt, whichever side is padded
    logits = hidden.lm_head(states[torch.arange(len(prompts)), last])[:, torch.tensor(digits)]
    rows = torch.softmax(logits.float(), dim=-1).tolist()
    return [(one, two, three, four, five) for one, two, three, four, five in rows]


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
        with _ONE_AT_A_TIME:
            torch.manual_seed(protocol.seed + zlib.crc32("".join(batch).encode()))
            written = _batch(model, tokenizer, batch, protocol)
        yield list(zip(rows, written, strict=True))


def _batch(model: Any, tokenizer: Any, prompts: list[str], protocol: Protocol) -> list[Reply]:
    sampling = Sampling(protocol.max_new_tokens, protocol.temperature if protocol.do_sample else None)
    digits = level_tokens(tokenizer)
    with writing(model, protocol.bf16 and multiplies_bfloat16()) as inner:
        written = complete_prompts(inner, tokenizer, tokenizer(prompts)["input_ids"], sampling, digits)
    texts = [tokenizer.decode(completion.ids, skip_special_tokens=True) for completion in written]
    likely = [level_probabilities(tokenizer, *completion) if digits else None for completion in written]
    return [
        reply_of(
            text,
            tokens=len(completion.ids),
            truncated=completion.ids[-1] != tokenizer.eos_token_id,
            probabilities=probabilities,
        )
        for completion, text, probabilities in zip(written, texts, likely, strict=True)
    ]
