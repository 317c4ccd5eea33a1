"""Which cases an experiment trains on, and their shape for TRL: plain text, so that no template is applied twice."""

from pathlib import Path

from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from ..answer import load_prompt
from ..data.open_corpus import open_cases
from ..data.rationale import reference_answer
from ..data.sampling import oversampled
from ..data.table import read_cases
from ..errors import InputError
from ..esi import Case
from ..reward import load_design
from .base import render_prompt
from .experiment import Experiment


def training_cases(experiment: Experiment) -> list[Case]:
    """The labelled training cases, drawn as the experiment says. Raises InputError where there are none."""
    data = experiment.data
    if data.source == "open":
        cases = [case for case in open_cases(data.cases, data.seed, data.core) if case.split == "train"]
    else:
        found, bad = read_cases(Path(data.source))
        if bad:
            raise InputError(f"{data.source}: row {bad[0].row}: {bad[0].reason} ({len(bad)} bad rows in all).")
        cases = [case for case in found if case.split == "train"]
    factors = load_design(experiment.reward).oversample if data.oversample and experiment.reward else {}
    drawn = oversampled(cases, factors, data.draws, experiment.seed)
    if not drawn:
        raise InputError(f"data.source = {data.source!r}: no case with split 'train' and a gold level to train on.")
    return drawn


def sft_rows(cases: list[Case], experiment: Experiment, tokenizer: PreTrainedTokenizerBase) -> Dataset:
    """`prompt` and `completion` as text; TRL puts the loss on the completion and ends it with the end-of-turn token."""
    prompt = load_prompt(experiment.prompt)
    return Dataset.from_dict(
        {
            "prompt": [render_prompt(tokenizer, case.narrative, prompt) for case in cases],
            "completion": [reference_answer(case) for case in cases],
        }
    )


def grpo_rows(cases: list[Case], experiment: Experiment, tokenizer: PreTrainedTokenizerBase) -> Dataset:
    """`prompt` as text and `gold`, which TRL hands to the reward functions."""
    prompt = load_prompt(experiment.prompt)
    return Dataset.from_dict(
        {
            "prompt": [render_prompt(tokenizer, case.narrative, prompt) for case in cases],
            "gold": [case.gold for case in cases],
        }
    )
