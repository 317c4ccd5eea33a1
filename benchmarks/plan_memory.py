"""`esi plan` against what a step on the processor really holds: peak bytes of tensors, by PyTorch's own profiler.

    python benchmarks/plan_memory.py [--rows 16] [--prompt 128] [--answer 160]

One forward and backward pass of the loss as TRL computes it (fused head), and one optimizer step, on the tiny base's
architecture; weights are random, which changes no size.
"""

import argparse
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile
from transformers import AutoModelForCausalLM
from trl.trainer.utils import add_fused_lm_head

from esi_triage.train.adapter import new_adapter
from esi_triage.train.experiment import load_experiment
from esi_triage.train.plan.arithmetic import Work, memory
from esi_triage.train.plan.shape import config_of, shape_of


def measured_peak(model: Any, rows: int, prompt: int, answer: int) -> int:
    """Peak bytes above what is there before: gradients, optimizer states, activations, logits."""
    optimizer = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad])
    ids = torch.randint(2, 100, (rows, prompt + answer))
    labels = ids.clone()
    labels[:, :prompt] = -100

    def step() -> None:
        out = model(input_ids=ids, attention_mask=torch.ones_like(ids), labels=labels, fused_lm_head=True)
        out.log_probs.mean().backward()
        optimizer.step()

    step()  # gradients and states are there from now on
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as found:
        step()
    events: Any = found.profiler.kineto_results.events()  # pyright: ignore[reportOptionalMemberAccess]
    changes = sorted((event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]")
    held = most = 0
    for _, change in changes:
        held += change
        most = max(most, held)
    return most


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    for name, default in (("rows", 16), ("prompt", 128), ("answer", 160)):
        options.add_argument(f"--{name}", type=int, default=default)
    options.add_argument("--base", default="tiny")
    given = options.parse_args()
    experiment = load_experiment("v46", given.base)
    work = Work(given.rows, given.rows, given.prompt, given.answer)
    shape = shape_of(given.base, experiment.lora, given.rows, given.prompt + given.answer, gpu=False)
    planned = memory(shape, experiment, work)
    model = AutoModelForCausalLM.from_config(config_of(given.base), dtype=torch.float32)
    add_fused_lm_head(model)
    measured = measured_peak(new_adapter(model, experiment.lora), given.rows, given.prompt, given.answer) / 1e9
    kept = sum(planned[name] for name in ("weights", "adapter", "gradients", "optimizer"))
    total = kept + measured
    print({name: round(value, 4) for name, value in planned.items()})
    print(f"planned peak {planned['peak']:.4f} GB, measured {total:.4f} GB: {planned['peak'] / total - 1:+.1%}")


if __name__ == "__main__":
    main()
