"""One evaluation: a model on a file of labelled cases, to metrics.json, predictions.parquet and report.html."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..data.table import BadRow, read_cases, write_quarantine
from ..errors import InputError
from ..esi import Case
from ..files import sha256_of, write_json
from ..predict.model import Model, Reply
from ..predict.scoring import prediction, replies_to, write_predictions
from .metrics import metrics, proportion
from .report import write_report


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A model's replies on labelled cases, and what they score."""

    model: str
    cases: list[Case]
    replies: list[Reply]
    metrics: dict[str, Any]

    @property
    def gold(self) -> list[int]:
        """The gold levels."""
        return [case.gold for case in self.cases if case.gold is not None]

    @property
    def predicted(self) -> list[int | None]:
        """The levels answered, null for none."""
        return [reply.level for reply in self.replies]


def evaluate_cases(model: Model, cases: Sequence[Case], label: str) -> Evaluation:
    """Let the model answer the labelled cases and measure it. Cases without gold must have been left out."""
    replies = replies_to(model, [case.narrative for case in cases], label)
    gold = [case.gold for case in cases if case.gold is not None]
    measured = metrics(gold, [reply.level for reply in replies])
    n = len(replies)
    measured["strict_format"] = proportion(sum(reply.strict for reply in replies), n)
    measured["truncated"] = proportion(sum(reply.truncated for reply in replies), n)
    return Evaluation(model.name, list(cases), replies, measured)


def evaluate_file(model: Model, file: Path, output: Path) -> tuple[Evaluation, list[BadRow], int]:
    """Evaluate on the labelled rows of `file`; writes the folder `output`.

    Returns the evaluation, the bad rows (quarantined beside the predictions) and how many rows had no gold level.
    Raises InputError where no row is labelled.
    """
    found, bad = read_cases(file)
    cases = [case for case in found if case.gold is not None]
    unlabelled = len(found) - len(cases)
    if not cases:
        raise InputError(
            f"{file}: none of its {len(found) + len(bad)} rows can be evaluated: {unlabelled} have no gold level, "
            f"{len(bad)} are bad" + (f" (row {bad[0].row}: {bad[0].reason})." if bad else ".")
        )
    result = evaluate_cases(model, cases, f"{model.name} on {file.name}")
    result.metrics.update(
        {
            "model": model.name,
            "cases_file": file.name,
            "cases_sha256": sha256_of(file),
            "rows": {"in": len(found) + len(bad), "evaluated": len(cases), "without_gold": unlabelled, "bad": len(bad)},
        }
    )
    write_evaluation(result, output, bad)
    return result, bad, unlabelled


def write_evaluation(result: Evaluation, output: Path, bad: Sequence[BadRow] = ()) -> None:
    """Write metrics.json, predictions.parquet and report.html into `output`."""
    output.mkdir(parents=True, exist_ok=True)
    rows = [prediction(case.case_id, reply) for case, reply in zip(result.cases, result.replies, strict=True)]
    predictions = output / "predictions.parquet"
    write_predictions(rows, predictions)
    write_quarantine(list(bad), predictions)
    write_report(result.model, result.metrics, output / "report.html", [asdict(row) for row in bad])
    write_json(output / "metrics.json", result.metrics)
