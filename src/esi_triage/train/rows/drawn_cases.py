"""Which cases an experiment trains on: those of its data that can be trained on, and those that are drawn of them."""

from pathlib import Path

from ...data.case_table import good_cases
from ...data.corpus.vignettes import open_cases
from ...data.sampling import oversampled, temperature_factors, trainable
from ...errors import InputError
from ...esi import Case
from ...reward import load_design
from ..experiment import Experiment


def training_cases(experiment: Experiment) -> list[Case]:
    """The training cases, drawn as the experiment says. Raises InputError where there are none."""
    return drawn_cases(experiment, available_cases(experiment))


def available_cases(experiment: Experiment) -> list[Case]:
    """The cases of the experiment's data that can be trained on."""
    data = experiment.data
    if data.source == "open":
        return trainable(open_cases(data.cases, data.seed, data.core))
    cases = trainable(good_cases(Path(data.source)))
    return (data.answered and [case for case in cases if case.reference_answer]) or cases


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
