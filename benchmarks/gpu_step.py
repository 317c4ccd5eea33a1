"""One GRPO step of the model card on a GPU: 8 completions of 512 tokens on Qwen3.5-9B, split by what takes the time.

    python benchmarks/gpu_step.py [--steps 5] [--prompt-tokens 256] [--small]

The 9B text model is built from its configuration with random weights (nothing to fetch); the seven-name LoRA of rank 32
is attached (58,195,968 trainable parameters). Times generation, scoring and forward/backward with the optimizer apart,
and prints peak memory. `--small` runs the same code on a tiny configuration, on a CPU too: a check of the script.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import Qwen3_5ForCausalLM, Qwen3_5TextConfig

from esi_triage.answer import parse
from esi_triage.reward import load_design, score
from esi_triage.train.adapter import trainable_parameters
from esi_triage.train.experiment import load_experiment

TRAINABLE = 58_195_968  # the seven projections at rank 32; the size of the card's adapter fits no other choice


def build(small: bool, device: str) -> Any:
    """Qwen3.5-9B (or a tiny one) with random weights and the experiment's LoRA, in bfloat16 on a GPU."""
    sizes: dict[str, Any] = {
        **{"vocab_size": 512, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 4},
        **{"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "linear_key_head_dim": 16},
        **{"linear_value_head_dim": 16, "linear_num_key_heads": 2, "linear_num_value_heads": 4},
    }
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    with torch.device(device):
        torch.set_default_dtype(dtype)
        base = Qwen3_5ForCausalLM(Qwen3_5TextConfig(**(sizes if small else {}), pad_token_id=0, eos_token_id=1))
        torch.set_default_dtype(torch.float32)
    lora = load_experiment("v46", base="qwen3.5-9b").lora
    targets = list(lora.targets)
    model = get_peft_model(
        base, LoraConfig(r=lora.r, lora_alpha=lora.alpha, target_modules=targets, task_type="CAUSAL_LM")
    )
    base.gradient_checkpointing_enable()
    base.enable_input_require_grads()
    return model


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that `work` took, the GPU's queue emptied before and after, and what it returned."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    started = time.perf_counter()
    result = work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started, result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--prompt-tokens", type=int, default=256)
    parser.add_argument("--small", action="store_true", help="a tiny configuration: a check of this script")
    options = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and not options.small:
        parser.error("no GPU here; --small checks the script on a CPU")
    model = build(options.small, device)
    count = trainable_parameters(model)
    assert options.small or count == TRAINABLE, f"{count:,} trainable parameters, expected {TRAINABLE:,}"
    settings = load_experiment("v46", base="qwen3.5-9b").trainer
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=settings.learning_rate)
    new_tokens = 16 if options.small else 512
    prompt = torch.randint(2, 500, (1, options.prompt_tokens), device=device).repeat(8, 1)
    design, text = load_design("v46"), "EXTRACTION:\n" + "word " * 400 + "\nESI ALGORITHM:\nANSWER: ESI 2"
    times: dict[str, list[float]] = {"generation": [], "scoring": [], "forward, backward, optimizer": []}

    def generate() -> torch.Tensor:
        with torch.no_grad():
            return model.generate(prompt, min_new_tokens=new_tokens, max_new_tokens=new_tokens, do_sample=True)

    def learn(sequences: torch.Tensor) -> None:
        for row in sequences:  # per-device batch 1, accumulated 8 times, as the card has it
            logits = model(input_ids=row[None], logits_to_keep=new_tokens + 1, use_cache=False).logits[0, :-1]
            log_probabilities = torch.log_softmax(logits.float(), dim=-1)
            (-log_probabilities.gather(1, row[-new_tokens:, None]).mean() / 8).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.max_grad_norm)
        optimizer.step()
        optimizer.zero_grad()

    for step in range(options.steps + 1):
        model.eval()
        generation, sequences = timed(generate)
        scoring, _ = timed(lambda: [score(parse(text), 2, design, new_tokens) for _ in range(8)])
        model.train()
        learning, _ = timed(lambda sequences=sequences: learn(sequences))
        if step:  # the first step warms up kernels
            for name, seconds in zip(times, (generation, scoring, learning), strict=True):
                times[name].append(seconds)
    name = torch.cuda.get_device_name(0) if device == "cuda" else "CPU"
    print(f"{name}: {count:,} trainable parameters, 8 × {new_tokens} tokens after a prompt of {options.prompt_tokens}")
    for part, seconds in times.items():
        print(f"  {part:30} {statistics.median(seconds):9.4f} s (median of {len(seconds)})")
    print(f"  {'step':30} {sum(statistics.median(s) for s in times.values()):9.4f} s")
    if device == "cuda":
        print(f"  peak memory {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB")


if __name__ == "__main__":
    main()
