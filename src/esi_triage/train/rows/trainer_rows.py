"""Drawn cases in their shape for TRL: plain text, so that no template is applied twice."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from ...answer import load_prompt
from ...data.targets import reference_answer
from ...data.teacher_targets import read_targets
from ...errors import InputError
from ...esi import Case, assess
from ...reward import load_design
from ..base_models import render_prompt
from ..experiment import Experiment, SftSettings
from ..processes import is_main

_BATCH = 1000  # texts of which the tokens are held at once, to count them


class SftRows(NamedTuple):
    """`table` has a row for each of `cases`; `too_long` are left out. A case that was drawn twice is here twice."""

    table: Dataset
    cases: list[Case]
    too_long: list[Case]


def sft_rows(cases: Sequence[Case], experiment: Experiment, tokenizer: PreTrainedTokenizerBase) -> SftRows:
    """`prompt` and `completion` as text; TRL puts the loss on the completion and ends it with the end-of-turn token.

    Where a label and the rules part, the completion's step is marked `label-only` (`data.targets`). Rows longer than
    `trainer.max_length`, which TRL would cut at their end, where the answer is, are left out with a warning. Raises
    InputError where all are, and for targets of other cases.
    """
    prompt, answers = load_prompt(experiment.prompt), _answers(cases, experiment)
    prompts = [render_prompt(tokenizer, case.narrative, prompt) for case in cases]
    texts = [f"{asked}{answer}{tokenizer.eos_token}" for asked, answer in zip(prompts, answers, strict=True)]
    fits = _fitting(texts, cases, experiment, tokenizer)
    kept = [i for i, fit in enumerate(fits) if fit]
    table = {"prompt": [prompts[i] for i in kept], "completion": [answers[i] for i in kept]}
    left_out = [case for case, fit in zip(cases, fits, strict=True) if not fit]
    return SftRows(Dataset.from_dict(table), [cases[i] for i in kept], left_out)


def _answers(cases: Sequence[Case], experiment: Experiment) -> list[str]:
    file = experiment.data.targets
    given = read_targets(Path(file)) if file else {}
    matched = sum(case.case_id in given for case in cases)
    if file and not matched:
        raise InputError(
            f"{file}: none of its {len(given):,} case_ids is among those of the {len(cases):,} training rows. Write it "
            "from the table that the experiment trains on (`esi data targets`)."
        )
    if file:
        _say(f"{matched:,} of {len(cases):,} training rows have a target of {file}; the others have our own answer.")
    return [given.get(case.case_id) or reference_answer(case, assess(case.narrative)) for case in cases]


def _fitting(
    texts: list[str], cases: Sequence[Case], experiment: Experiment, tokenizer: PreTrainedTokenizerBase
) -> list[bool]:
    """Whether each text is within `trainer.max_length`."""
    settings = experiment.trainer
    assert isinstance(settings, SftSettings)
    lengths: list[int] = []
    for start in range(0, len(texts), _BATCH):
        lengths += map(len, tokenizer(texts[start : start + _BATCH])["input_ids"])
    longer = [i for i, length in enumerate(lengths) if length > settings.max_length]
    fix = "Raise trainer.max_length in a copy of the experiment file, or shorten these notes."
    if len(longer) == len(texts):
        raise InputError(
            f"trainer.max_length = {settings.max_length}: all {len(texts):,} training rows are longer (the first, of "
            f"case {cases[0].case_id!r}, has {lengths[0]:,} tokens). {fix}"
        )
    if longer:
        first = longer[0]
        _say(
            f"warning: {len(longer):,} of {len(texts):,} training rows are longer than trainer.max_length = "
            f"{settings.max_length} tokens and are left out (the first, of case {cases[first].case_id!r}, has "
            f"{lengths[first]:,}; all in left_out.json). {fix}"
        )
    return [length <= settings.max_length for length in lengths]


def _say(sentence: str) -> None:
    if is_main():
        print(sentence, file=sys.stderr, flush=True)


def grpo_rows(cases: Sequence[Case], experiment: Experiment, tokenizer: PreTrainedTokenizerBase) -> Dataset:
    """`prompt` as text and `gold`, which TRL hands to the reward functions; `narrative` where steps are paid for."""
    prompt = load_prompt(experiment.prompt)
    columns = {
        "prompt": [render_prompt(tokenizer, case.narrative, prompt) for case in cases],
        "gold": [case.gold for case in cases],
    }
    if experiment.reward and load_design(experiment.reward).steps_bonus:
        columns["narrative"] = [case.narrative for case in cases]
    return Dataset.from_dict(columns)
