"""Rollouts of one GRPO step, TRL's way against ours, in pairs in one process: CPU seconds, medians.

    python benchmarks/rollouts.py [--base tiny] [--smoke] [--groups 8] [--group 8] [--tokens 120] [--pairs 3]

With the smoke build the answers never end, so that what is gained by dropping ended rows does not show.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from esi_triage.answer import load_prompt
from esi_triage.data.corpus.vignettes import open_cases
from esi_triage.train.adapter import new_adapter
from esi_triage.train.base_models import load_base, render_prompt
from esi_triage.train.experiment import load_experiment
from esi_triage.train.rollouts.completions import Sampling, complete_prompts
from esi_triage.train.rollouts.merged import writing


def seconds(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    for name, default in (("groups", 8), ("group", 8), ("tokens", 120), ("pairs", 3)):
        options.add_argument(f"--{name}", type=int, default=default)
    options.add_argument("--base", default="tiny")
    options.add_argument("--smoke", action="store_true")
    given = options.parse_args()
    base, tokenizer = load_base(given.base, given.smoke)
    model = new_adapter(base, load_experiment("v46").lora).eval()
    notes = [case.narrative for case in open_cases(given.groups)]
    prompts = [render_prompt(tokenizer, note, load_prompt()) for note in notes for _ in range(given.group)]
    inputs = tokenizer(prompts, return_tensors="pt", padding=True, return_token_type_ids=False)
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}

    def theirs() -> None:
        with torch.no_grad():
            model.generate(**inputs, do_sample=True, temperature=1.0, max_new_tokens=given.tokens, top_k=0, **ends)

    def ours() -> None:
        with writing(model) as inner:
            complete_prompts(inner, tokenizer, tokenizer(prompts)["input_ids"], Sampling(given.tokens, 1.0))

    pairs = [(seconds(theirs), seconds(ours)) for _ in range(given.pairs)]
    for a, b in pairs:
        print(f"generate {a:.2f} CPU-s, shared {b:.2f} CPU-s: {a / b:.2f}x")
    ratios = [a / b for a, b in pairs]
    print(f"{len(prompts)} rows x {given.tokens} tokens: median {statistics.median(ratios):.2f}x of {len(pairs)} pairs")


if __name__ == "__main__":
    main()
