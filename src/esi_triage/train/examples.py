"""Which cases an experiment trains on, and their shape for TRL: plain text, so that no template is applied twice."""

from pathlib import Path

from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from ..answer import load_prompt
from ..data.case_table import read_cases
from ..data.corpus.vignettes import open_cases
from ..data.sampling import oversampled, temperature_factors, trainable
from ..data.targets import reference_answer
from ..data.teacher_targets import read_targets
from ..errors import InputError
from ..esi import Case, assess
from ..reward import load_design
from .base_models import render_prompt
from .experiment import Experiment


def training_cases(experiment: Experiment) -> list[Case]:
    """The training cases, drawn as the experiment says. Raises InputError where there are none."""
    return drawn_cases(experiment, available_cases(experiment))


def available_cases(experiment: Experiment) -> list[Case]:
    """The cases of the experiment's data that can be trained on."""
    data = experiment.data
    if data.source == "open":
        return trainable(open_cases(data.cases, data.seed, data.core))
    found, bad = read_cases(Path(data.source))
    if bad:
        raise InputError(f"{data.source}: row {bad[0].row}: {bad[0].reason} ({len(bad)} bad rows in all).")
    return trainable(found)


def drawn_cases(experiment: Experiment, cases: list[Case]) -> list[Case]:
    """The labelled among `cases`, drawn by the design's class factors or by a temperature."""
    data = experiment.data
    drawn = oversampled(cases, _factors(experiment, cases), data.draws, experiment.seed)
    if not drawn:
        raise InputError(f"data.source = {data.source!r}: no case with split 'train' and a gold level to train on.")
    return drawn


def _factors(experiment: Experiment, cases: list[Case]) -> dict[int, float]:
    if experiment.data.temperature is not None:
        return temperature_factors(cases, experiment.data.temperature)
    return load_design(experiment.reward).oversample if experiment.data.oversample and experiment.reward else {}


def sft_rows(cases: list[Case], experiment: Experiment, tokenizer: PreTrainedTokenizerBase) -> Dataset:
    """`prompt` and `completion` as text; TRL puts the loss on the completion and ends it with the end-of-turn token.

    Where a label and the rules part, the completion's step is marked `label-only` (`data.targets`).
    """
    prompt = load_prompt(experiment.prompt)
    given = read_targets(Path(experiment.data.targets)) if experiment.data.targets else {}
    return Dataset.from_dict(
        {
            "prompt": [render_prompt(tokenizer, case.narrative, prompt) for case in cases],
            "completion": [given.get(case.case_id) or reference_answer(case, assess(case.narrative)) for case in cases],
        }
    )


def grpo_rows(cases: list[Case], experiment: Experiment, tokenizer: PreTrainedTokenizerBase) -> Dataset:
    """`prompt` as text and `gold`, which TRL hands to the reward functions; `narrative` where steps are paid for."""
    prompt = load_prompt(experiment.prompt)
    columns = {
        "prompt": [render_prompt(tokenizer, case.narrative, prompt) for case in cases],
        "gold": [case.gold for case in cases],
    }
    if experiment.reward and load_design(experiment.reward).steps_bonus:
        columns["narrative"] = [case.narrative for case in cases]
    return Dataset.from_dict(columns)
