"""One evaluation: a model on a file of labelled cases, to metrics.json, predictions.parquet, report.html, report.md.

1. The cases and the tables beside them are read, the scoring log is opened, the model answers.
2. Figures, baselines, subgroups, outcomes and steps are measured; perturbations where they are asked for.
3. Everything is written, then the scoring is noted in the log.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import uuid4

from ..atomic_files import quarantine_of, refuse_overwriting, sha256_of, write_json, write_text
from ..data.case_table import BadRow, write_quarantine
from ..errors import InputError
from ..esi import Case, Split
from ..predict.model import Model, Reply
from ..predict.score_file import prediction, replies_to, write_predictions
from ..resume_cache import close
from . import scoring_log
from .breakdowns.perturbations import perturbations
from .engine_readings import read_all
from .identity import settings_of
from .labelled_cases import read_labelled, require_open, require_weights
from .linked_tables import Linked, read_linked
from .measurement import Evaluation, evaluate_replies, weighted_figures
from .report.evaluation_report import write_report

UNDER_WAY = ".scoring"
"""In the output folder: the name of the scoring that is under way, until it stands in the log."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an evaluation measures beyond the figures of every report.

    `split`: its rows alone. `samples`: how often the model is asked in all. `perturb`: ask again about changed
    narratives. `weighted`: survey-weighted figures too. `outcomes`: a file of 0/1 columns by case_id (default: the one
    beside the cases). `with_cases`: put the cases into the report.
    """

    split: Split | None = None
    samples: int = 1
    perturb: bool = False
    weighted: bool = False
    outcomes: Path | None = None
    with_cases: bool = False


def evaluate_file(
    model: Model,
    file: Path,
    output: Path,
    plan: Plan | None = None,
    *,
    spec: str | None = None,
    others: Mapping[str, Model] | None = None,
) -> tuple[Evaluation, list[BadRow], int]:
    """Evaluate on the labelled rows of `file`; writes the folder `output`.

    `spec` is what the user typed for the model (default: its name); `others` are models by name that answer the same
    cases and are compared with it. Returns the evaluation, the bad rows and how many rows had no gold level. Raises
    InputError where no row is labelled, the levels are of several scales, the scoring log cannot be written,
    credentialed cases would be shown, something that was asked for is not in the table, or samples are asked for of
    answers that are deterministic.
    """
    plan = plan or Plan()
    written = output / "predictions.parquet"
    refuse_overwriting((written, quarantine_of(written)), file, plan.outcomes, Path(spec) if spec else None)
    labelled = read_labelled(file, plan.split)
    linked = _checked(plan, model, labelled.cases, file)
    readings = read_all([case.narrative for case in labelled.cases])
    asked: list[Reply] = []

    def ask(one: Model, cases: Sequence[Case], label: str) -> list[Reply]:
        """Ask, and keep the replies beside the predictions until everything is written."""
        if one.from_reading and cases is labelled.cases:
            return list(map(one.from_reading, readings))
        replies = replies_to(one, cases, label, output / "predictions.parquet")
        asked.extend(replies)
        return replies

    replies = ask(model, labelled.cases, f"{model.name} on {file.name}")
    compared = {name: ask(one, labelled.cases, f"{name} on {file.name}") for name, one in (others or {}).items()}
    samples = [
        ask(model.again(k), labelled.cases, f"{model.name} on {file.name}, sample {k + 1}")
        for k in range(1, plan.samples)
        if model.again
    ]
    result = evaluate_replies(model.name, labelled.cases, replies, compared, samples, linked, readings)
    if plan.perturb:
        result.metrics["perturbations"] = perturbations(ask, model, labelled.cases, result.scored)
    if plan.weighted:
        result.metrics["weighted"] = weighted_figures(labelled.cases, result.scored)
    result.metrics["rows"] = labelled.rows
    record(result, file, output, model, spec or model.name, labelled.bad, plan.with_cases)
    close(output / "predictions.parquet", asked)
    return result, labelled.bad, labelled.without_gold


def _checked(plan: Plan, model: Model, cases: Sequence[Case], file: Path) -> Linked:
    """The linked tables; raises InputError for what cannot be done, before anything is asked."""
    if plan.with_cases:
        require_open(cases, file)
    if plan.weighted:
        require_weights(cases, file)
    if plan.samples > 1 and model.again is None:
        raise InputError(f"--samples {plan.samples}: {model.name} answers the same each time; leave --samples out.")
    scoring_log.check_writable(file)
    return read_linked(file, [case.case_id for case in cases], plan.outcomes)


def record(
    result: Evaluation,
    file: Path,
    output: Path,
    model: Model,
    spec: str,
    bad: Sequence[BadRow] = (),
    with_cases: bool = False,
) -> None:
    """Write an evaluation on `file` into `output`, then note the scoring in the log beside `file`.

    One that is killed before its outputs are there is not counted; one that is killed later and goes on counts once.
    """
    output.mkdir(parents=True, exist_ok=True)
    sha256, settings = sha256_of(file), settings_of(spec, model.identity) | dict(model.settings)
    run = under_way(output)
    entry = scoring_log.entry_of(sha256, result.model, settings["model_sha256"], result.metrics, run)
    result.metrics.update(
        {
            "model": result.model,
            "settings": settings,
            "cases_file": file.name,
            "cases_sha256": sha256,
            "licences": sorted({case.licence for case in result.cases}),
            "ledger": scoring_log.use_of(file, sha256, entry),
        }
    )
    _write(result, output, bad, with_cases)
    scoring_log.append(file, entry)
    (output / UNDER_WAY).unlink(missing_ok=True)


def under_way(output: Path) -> str:
    """The name of the scoring into `output`: that of one that was killed, else a new one."""
    file = output / UNDER_WAY
    if not file.is_file():
        write_text(file, uuid4().hex)
    return file.read_text(encoding="utf-8", errors="replace")[:32]


def _write(result: Evaluation, output: Path, bad: Sequence[BadRow], with_cases: bool) -> None:
    """predictions.parquet (predictions-2.parquet, ...), report.html and report.md; metrics.json takes its name last."""
    predictions = output / "predictions.parquet"
    private = any(case.licence != "open" for case in result.cases)
    for k, replies in enumerate((result.replies, *result.samples), start=1):
        rows = [prediction(case, reply) for case, reply in zip(result.cases, replies, strict=True)]
        write_predictions(rows, predictions if k == 1 else output / f"predictions-{k}.parquet", private)
    write_quarantine(list(bad), predictions)
    shown = list(zip(result.cases, result.replies, strict=True)) if with_cases else []
    write_report(result.model, result.metrics, output, [asdict(row) for row in bad], shown)
    write_json(output / "metrics.json", result.metrics)
