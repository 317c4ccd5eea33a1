"""The warm start: supervised fine-tuning with TRL's SFTTrainer.

1. Load the base, text-only, and attach a new LoRA adapter to the seven projections.
2. Draw training cases; each becomes a prompt and a reference answer in the seed's format.
3. Loss on the completion only. No packing: gated DeltaNet leaks state between packed samples.
4. The adapter is saved only when all of it went well.
"""

from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import set_seed
from trl import SFTConfig, SFTTrainer

from ..data.sampling import shares_report
from .base import load_base, quiet
from .callbacks import AdapterMustMove, MetricsFile, run_trainer
from .examples import available_cases, drawn_cases, sft_rows
from .experiment import Experiment, SftSettings
from .run import Run, begin, find_run
from .warm_start import save_adapter


def train_sft(experiment: Experiment, folder: Path) -> Run:
    """Run an SFT experiment in `folder`; goes on from a checkpoint; returns at once where it has already finished."""
    settings = experiment.trainer
    assert isinstance(settings, SftSettings)
    run = find_run(folder, experiment)
    if run.finished:
        return run
    quiet()
    available = available_cases(experiment)
    cases = drawn_cases(experiment, available)
    base, tokenizer = load_base(experiment.base, smoke=experiment.profile == "smoke")
    begin(run, experiment, shares_report(available, cases))
    set_seed(experiment.seed)
    model = get_peft_model(
        base,
        LoraConfig(
            r=experiment.lora.r,
            lora_alpha=experiment.lora.alpha,
            lora_dropout=experiment.lora.dropout,
            target_modules=list(experiment.lora.targets),
            task_type="CAUSAL_LM",
        ),
    )
    gpu = torch.cuda.is_available()
    args = SFTConfig(
        output_dir=str(run.checkpoints),
        **settings.model_dump(),
        packing=False,
        completion_only_loss=True,
        seed=experiment.seed,
        bf16=gpu,
        use_cpu=not gpu,
        save_total_limit=2,
        report_to="none",
        disable_tqdm=True,
    )
    rows = sft_rows(cases, experiment, tokenizer)
    trainer = SFTTrainer(model, args, train_dataset=rows, processing_class=tokenizer)
    trainer.add_callback(AdapterMustMove())
    trainer.add_callback(MetricsFile(run.metrics))
    run_trainer(trainer, f"{experiment.name}: SFT on {experiment.base}", key="loss", resume=run.interrupted)
    save_adapter(trainer.model, tokenizer, run)
    return run
