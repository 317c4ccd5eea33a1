"""Train and evaluate the members of a series, one after another: parents first, the same cases for all."""

import json
from collections.abc import Mapping
from pathlib import Path

from ..atomic_files import sha256_of, write_text
from ..errors import InputError
from ..evaluate.evaluation import record
from ..evaluate.measurement import Evaluation, evaluate_replies
from ..predict import load_model
from ..predict.score_file import read_replies, replies_to
from ..resume_cache import close
from ..train.experiment import Experiment, load_experiment
from ..train.launch import start
from ..train.processes import one_process
from ..train.run import Run, find_run
from .series_data import SeriesData, all_open, find_data, refuse_what_the_base_read
from .series_report import write_series_report

ALL = ("v43", "v45c", "v46", "v47", "v48", "audited")
_MARKER = "evaluated_on.sha256"


def reproduce_series(
    series: str,
    base: str,
    profile: str,
    cases: int,
    output: Path,
    data: str | None = None,
    test: Path | None = None,
) -> Path:
    """Train and evaluate a series of experiments in `output` and return its report.

    `series` is names joined by commas, or `all`; `data` and `test` as in `find_data`. Members that have finished are
    not trained again, so an interrupted series goes on, and a run of the same experiment that `esi train` has left in
    the folder is taken over. Raises InputError for a member that does not exist, and for a run that does not fit.
    """
    members, found = load_series(series, base, profile, cases, output, data, test)
    results: dict[str, Evaluation] = {}
    runs: dict[str, Run] = {}
    for experiment in members:
        runs[experiment.name], results[experiment.name] = train_and_evaluate(experiment, output, found, results)
    return write_series_report(members, runs, results, output)


def load_series(
    series: str, base: str, profile: str, cases: int, output: Path, data: str | None, test: Path | None
) -> tuple[list[Experiment], SeriesData]:
    """The members in order, and what they are trained and tested on; arguments as in `reproduce_series`."""
    one_process("esi reproduce")
    names = in_order(series)
    found = find_data(data, test, cases, load_experiment(names[0], base, profile).data, output)
    refuse_what_the_base_read(base, found.cases)
    return [load_experiment(name, base, profile, found.source) for name in names], found


def train_and_evaluate(
    experiment: Experiment, output: Path, data: SeriesData, results: Mapping[str, Evaluation]
) -> tuple[Run, Evaluation]:
    """One member in `output`, where its parent is too; `results` are those of the members before it, by name."""
    run = start(experiment, output / experiment.name, output / experiment.parent if experiment.parent else None)
    return run, _evaluated(run, data, results.get(experiment.parent or ""))


def is_done(experiment: Experiment, output: Path, data: SeriesData) -> bool:
    """Whether the member is trained, and evaluated on these cases. InputError where another run lies in its place."""
    run = find_run(output / experiment.name, experiment, output / experiment.parent if experiment.parent else None)
    return run.finished and _marked(run, data)


def in_order(series: str) -> list[str]:
    """The members of a series, each after its parent; parents that were not named are added."""
    wanted = list(ALL) if series == "all" else [name.strip() for name in series.split(",") if name.strip()]
    if not wanted:
        raise InputError("--series names no experiment; give names joined by commas, or all.")
    ordered: list[str] = []
    for name in wanted:
        chain = []
        member: str | None = name
        while member is not None and member not in chain:
            chain.append(member)
            member = load_experiment(member).parent
        ordered += [member for member in reversed(chain) if member not in ordered]
    return ordered


def _evaluated(run: Run, data: SeriesData, parent: Evaluation | None) -> Evaluation:
    """The member's evaluation beside its warm start's, read back where the same cases have been answered already."""
    cases = data.cases
    if _marked(run, data):
        replies = read_replies(run.folder / "predictions.parquet")
        measured = json.loads((run.folder / "metrics.json").read_text(encoding="utf-8"))
        return Evaluation(run.folder.name, cases, replies, measured)
    model = load_model(str(run.folder))
    replies = replies_to(model, cases, f"{run.folder.name}: held-out cases", run.folder / "predictions.parquet")
    warm_start = {f"{parent.model} (warm start)": parent.replies} if parent else {}
    result = evaluate_replies(run.folder.name, cases, replies, warm_start, linked=data.linked)
    record(result, data.file, run.folder, model, str(run.folder), with_cases=all_open(cases))
    close(run.folder / "predictions.parquet", replies)
    write_text(run.folder / _MARKER, sha256_of(data.file))
    return result


def _marked(run: Run, data: SeriesData) -> bool:
    marker = run.folder / _MARKER
    return marker.is_file() and marker.read_text(encoding="utf-8") == sha256_of(data.file)
