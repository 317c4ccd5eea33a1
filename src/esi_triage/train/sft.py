"""The warm start: supervised fine-tuning with TRL's SFTTrainer.

1. Load the base, text-only, and attach a new LoRA adapter to the seven projections.
2. Draw training cases; each becomes a prompt and a reference answer in the model card's format.
3. Loss on the completion only. No packing: gated DeltaNet leaks state between packed samples.
4. The adapter is saved only when all of it went well.
"""

from trl import SFTConfig, SFTTrainer

from .experiment import SftExperiment
from .rows.trainer_rows import sft_rows
from .run import Run
from .session import prepare, save, shared_arguments, train_to_end


def train_sft(experiment: SftExperiment, run: Run, log_to: str | None = None) -> Run:
    """Run an SFT experiment in `run`; goes on from a checkpoint. `launch.start` says whether it can and need be."""
    session = prepare(experiment, run, log_to=log_to)
    rows = sft_rows(session.cases, experiment, session.tokenizer)
    session = session._replace(cases=rows.cases)
    trainer = SFTTrainer(
        session.model,
        SFTConfig(**shared_arguments(session), packing=False, completion_only_loss=True),
        train_dataset=rows.table,
        processing_class=session.tokenizer,
    )
    train_to_end(session, trainer, key="loss", too_long=rows.too_long)
    return save(session, trainer)
