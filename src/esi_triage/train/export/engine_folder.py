"""What every engine needs of an experiment: prompts with gold, the reward design, and the adapter of the warm start."""

import shutil
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ...answer import load_prompt, messages
from ...atomic_files import whole, write_text
from ...errors import InputError
from ...esi import Case
from ...reward import load_design
from ..experiment import Experiment, GrpoExperiment
from ..rows.drawn_cases import training_cases
from ..run import Run


def export_folder(experiment: Experiment, parent: Path, output: Path, row: Callable[[int, Case, Any], dict]) -> None:
    """Write train.parquet (a `row` a drawn case), design.toml and adapter/ into `output`.

    Raises InputError for an SFT experiment, which needs no other engine, for a design whose reward needs more than a
    completion and its gold level, for a parent that has not finished, and where no case can be trained on.
    """
    if not isinstance(experiment, GrpoExperiment):
        raise InputError(f"experiment {experiment.name}: it is SFT; other engines are for GRPO. Train it: esi train.")
    design = load_design(experiment.reward)
    if design.steps_bonus or design.scores_probabilities:
        needed = "the note" if design.steps_bonus else "the policy's probabilities"
        raise InputError(
            f"experiment {experiment.name}: its reward looks at {needed}, which other engines do not hand to it. Train "
            "it with `esi train`, or with another design."
        )
    run = Run(parent)
    if not run.finished:
        raise InputError(f"parent run {parent}: it has no finished adapter. Train it first, or give --parent.")
    if (output / "train.parquet").exists():
        raise InputError(f"{output}: it holds an export already; remove it, or give another --output.")
    cases, prompt = training_cases(experiment), load_prompt(experiment.prompt)
    rows = [row(place, case, messages(case.narrative, prompt)) for place, case in enumerate(cases)]
    output.mkdir(parents=True, exist_ok=True)
    shutil.copytree(run.adapter, output / "adapter", dirs_exist_ok=True)
    write_text(output / "design.toml", _design_text(experiment.reward))
    with whole(output / "train.parquet") as temporary:
        pq.write_table(pa.Table.from_pylist(rows), temporary)


def _design_text(name_or_file: str) -> str:
    shipped = resources.files("esi_triage.reward") / "designs" / f"{name_or_file}.toml"
    return (shipped if shipped.is_file() else Path(name_or_file)).read_text(encoding="utf-8")
