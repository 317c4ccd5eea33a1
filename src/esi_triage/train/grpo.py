"""GRPO with TRL's GRPOTrainer, from the parent's adapter.

1. Load the base, text-only, with the parent's adapter on it, trainable (warm start); check that it is.
2. Draw prompts with the reward design's class factors (v46: ESI-1 ×5, ESI-2 ×3).
3. Each step: G answers a prompt, scored by the one scorer; advantage = reward less the group's mean, by its spread.
4. No reference model at beta 0, as in the card. A check after the first step with a gradient proves that it trains.
"""

from pathlib import Path

from trl import GRPOConfig, GRPOTrainer

from ..atomic_files import write_json
from ..reward import load_design, reward_functions
from ..reward.watch import Limits, Watch
from .callbacks import SamePasses
from .experiment import GrpoExperiment
from .processes import is_main
from .rollouts.trl_rollout import shared_rollout
from .rows.trainer_rows import grpo_rows
from .run import Run
from .session import Session, prepare, save, shared_arguments, train_to_end


def train_grpo(experiment: GrpoExperiment, run: Run, parent: Path, log_to: str | None = None) -> Run:
    """Run a GRPO experiment in `run` from the adapter of the run in `parent`; goes on from a checkpoint.

    `launch.start` says whether it can and need be.
    """
    design = load_design(experiment.reward)
    session = prepare(experiment, run, parent, log_to)
    window = min(Limits.window, max(1, experiment.trainer.max_steps // 4))
    watch = Watch(design, limits=Limits(window=window))
    trainer = GRPOTrainer(
        session.model,
        [*reward_functions(design), watch.look],  # pyright: ignore[reportArgumentType]
        args=_config(session),
        train_dataset=grpo_rows(session.cases, experiment, session.tokenizer),
        processing_class=session.tokenizer,
        rollout_func=shared_rollout(experiment.trainer, design.scores_probabilities)
        if experiment.trainer.rollout == "shared"
        else None,
    )
    trainer.add_callback(watch)
    trainer.add_callback(SamePasses())
    train_to_end(session, trainer, key="reward")
    if is_main():
        write_json(run.folder / "watch.json", watch.found)
        _keep_completions(run)
    return save(session, trainer)


def _config(session: Session) -> GRPOConfig:
    values = shared_arguments(session)
    values["min_p"] = values["min_p"] or None
    values.pop("rollout")
    remote = session.log_to in ("trackio", "wandb") and any(case.licence != "open" for case in session.cases)
    return GRPOConfig(
        **values,
        log_completions=not remote,  # to checkpoints/completions, and to the tracker: it gets text of open cases only
        num_completions_to_print=0,
    )


def _keep_completions(run: Run) -> None:
    written = run.checkpoints / "completions"
    if written.is_dir():
        (run.folder / "completions").mkdir(exist_ok=True)
        for file in sorted(written.iterdir()):
            file.replace(run.folder / "completions" / file.name)
