"""`risk`: the probability of a critical outcome (critical care or death), from what the trained reader's encoder sees.

The one model that may see outcomes, and only those of the train years (docs/data-sheets). Its head is a logistic
regression of its own; nothing of it goes back into the reader.
"""

import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression

from ...atomic_files import write_json
from ...data.case_table import good_cases
from ...data.outcomes import outcomes_path, read_outcomes
from ...errors import InputError
from ...esi import Case
from ...progress import bar
from .minilm import minilm
from .network import Inputs, ReaderNetwork, fast_arithmetic, load_trained
from .settings import ReaderExperiment, settings_of

OTHERS = 8
"""Visits without a critical outcome that are read for each with one; their weight makes up for those left out."""


def train_risk(visits: Path, reader: Path, folder: Path) -> dict[str, Any]:
    """Fit the head in `folder`: head.safetensors and risk.json. Returns what risk.json says.

    The network is that of the trained `reader`, by its own settings. Raises InputError where there is none, for a bad
    row, and where outcomes of the train split are missing.
    """
    experiment = settings_of(reader)
    cases, critical, weight = _sample(visits, experiment.seed)
    seen = _vectors(experiment, reader, [case.narrative for case in cases])
    centre, spread = seen.mean(0), seen.std(0) + 1e-6
    scaled = (seen - centre) / spread
    weights = np.where(critical, 1.0, weight)
    fitted = LogisticRegression(C=0.003, max_iter=2000).fit(scaled, critical, sample_weight=weights)
    folder.mkdir(parents=True, exist_ok=True)
    head = {"centre": centre, "spread": spread, "weight": fitted.coef_[0], "bias": np.asarray(fitted.intercept_[0])}
    save_file({name: np.asarray(values, np.float32) for name, values in head.items()}, folder / "head.safetensors")
    facts = {
        "name": "risk",
        "outcome": "critical care or death",
        "visits": len(cases),
        "critical": int(critical.sum()),
        "weight_of_others": round(weight, 3),
    }
    write_json(folder / "risk.json", facts)
    return facts


def _sample(visits: Path, seed: int) -> tuple[list[Case], np.ndarray, float]:
    outcomes = read_outcomes(outcomes_path(visits))
    train = [case for case in good_cases(visits) if case.split == "train"]
    if not train:
        raise InputError(f"{visits}: no row of the split train; give such rows.")
    known = [(case, found["critical"]) for case in train if (found := outcomes.get(case.case_id))]
    yes = [case for case, critical in known if critical]
    no = [case for case, critical in known if critical is False]
    if not yes or not no:
        raise InputError(
            f"{outcomes_path(visits)}: no critical outcomes of the train split; build the visits with them."
        )
    drawn = random.Random(seed).sample(no, min(len(no), OTHERS * len(yes)))
    truth = np.array([True] * len(yes) + [False] * len(drawn))
    return [*yes, *drawn], truth, len(no) / len(drawn)


def _vectors(experiment: ReaderExperiment, reader: Path, texts: list[str]) -> np.ndarray:
    base = minilm()
    network, inputs = ReaderNetwork(base, experiment).eval(), Inputs(base, experiment.trainer.max_tokens)
    load_trained(network, reader)
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    found: np.ndarray | None = None
    with bar("risk reads", len(texts), "visit") as progress, torch.inference_mode(), fast_arithmetic(network):
        for start in range(0, len(order), 32):
            places = order[start : start + 32]
            vectors = network.vectors(*inputs.of([texts[i] for i in places])).float().numpy()
            found = np.empty((len(texts), vectors.shape[1]), np.float32) if found is None else found
            found[places] = vectors
            progress.update(len(places))
    assert found is not None
    return found
