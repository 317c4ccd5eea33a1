"""One evaluation: a model on a file of labelled cases, to metrics.json, predictions.parquet, report.html, report.md.

1. The cases are read, the ledger beside them is opened, the model answers.
2. Figures, baselines, slices and steps are measured; perturbations where they are asked for.
3. The scoring is noted in the ledger; everything is written.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from ..data.table import BadRow, read_cases, write_quarantine
from ..errors import InputError
from ..esi import Case, Split
from ..files import sha256_of, write_json
from ..predict.journal import close
from ..predict.model import Model, Reply
from ..predict.scoring import prediction, replies_to, write_predictions
from . import ledger
from .beside import baseline_answers, beside
from .bootstrap import patient_codes
from .compare import differences
from .identity import settings_of
from .metrics import metrics, share_of
from .perturb import perturbations
from .readings import read_all
from .repeat import repeatability
from .report import write_report
from .slices import slices
from .steps import steps
from .table import Levels


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A model's replies on labelled cases, and what they score; `samples` are further replies to the same."""

    model: str
    cases: list[Case]
    replies: list[Reply]
    metrics: dict[str, Any]
    samples: Sequence[Sequence[Reply]] = ()

    @property
    def gold(self) -> list[int]:
        """The gold levels."""
        return [case.gold for case in self.cases if case.gold is not None]

    @property
    def predicted(self) -> list[int | None]:
        """The levels answered, null for none."""
        return [reply.level for reply in self.replies]


def measure(
    model: str,
    cases: Sequence[Case],
    replies: Sequence[Reply],
    others: Mapping[str, Levels] | None = None,
    samples: Sequence[Sequence[Reply]] = (),
) -> Evaluation:
    """Everything that is measured on labelled cases and the replies to them, in order.

    `others` are levels by name that stand beside the model, in addition to the baselines of every report; `samples` are
    its further replies to the same cases.
    """
    gold = [case.gold for case in cases if case.gold is not None]
    levels = [reply.level for reply in replies]
    subjects = [case.subject_id for case in cases]
    patients = patient_codes(subjects, len(cases))
    odds = [reply.probabilities for reply in replies]
    measured = metrics(
        gold,
        levels,
        subjects=subjects,
        probabilities=odds if any(odds) else None,
        strict=[reply.strict for reply in replies],
        truncated=[reply.truncated for reply in replies],
        gold_sources=[case.gold_source for case in cases],
    )
    measured["splits"] = dict(Counter(case.split or "none" for case in cases))
    readings = read_all([case.narrative for case in cases])
    measured["no_reply"] = share_of([reply.error is not None for reply in replies], patients)
    measured["levels_answered"] = len({level for level in levels if level is not None})
    constant: Levels = [measured["best_constant"]["level"]] * len(gold)
    measured["margin_over_best_constant"] = differences(gold, constant, levels, subjects)["exact"]
    measured["baselines"] = beside(cases, levels, baseline_answers(cases, readings) | dict(others or {}))
    measured["slices"] = slices(cases, readings, levels)
    measured["steps"] = steps(cases, readings, [reply.text for reply in replies], levels)
    if samples:
        asked = [levels, *([reply.level for reply in again] for again in samples)]
        measured["repeatability"] = repeatability(asked, gold, subjects)
    return Evaluation(model, list(cases), list(replies), measured, samples)


def evaluate_file(
    model: Model,
    file: Path,
    output: Path,
    *,
    spec: str | None = None,
    others: Mapping[str, Model] | None = None,
    split: Split | None = None,
    samples: int = 1,
    perturb: bool = False,
    with_cases: bool = False,
) -> tuple[Evaluation, list[BadRow], int]:
    """Evaluate on the labelled rows of `file`, those of `split` where it is given; writes the folder `output`.

    `spec` is what the user typed for the model (default: its name); `others` are models that answer the same cases and
    stand beside it; `samples` is how often it is asked in all, to see how far its answers repeat; `perturb` asks it
    again about changed narratives; `with_cases` puts the cases into the report. Returns the evaluation, the bad rows
    (quarantined beside the predictions) and how many rows had no gold level. Raises InputError where no row is
    labelled, the ledger cannot be written, credentialed cases would be shown, or no chance is in the answers.
    """
    every, bad, unlabelled = labelled(file)
    cases = _of_split(every, split, file)
    if with_cases:
        only_open(cases, file)
    if samples > 1 and model.again is None:
        raise InputError(f"--samples {samples}: {model.name} answers the same each time; leave --samples out.")
    ledger.check(file)
    predictions = output / "predictions.parquet"
    replies = replies_to(model, cases, f"{model.name} on {file.name}", predictions)
    compared = {
        name: [reply.level for reply in replies_to(other, cases, f"{name} on {file.name}")]
        for name, other in (others or {}).items()
    }
    more = [
        replies_to(model.again(k), cases, f"{model.name} on {file.name}, sample {k + 1}", predictions)
        for k in range(1, samples)
        if model.again
    ]
    result = measure(model.name, cases, replies, compared, more)
    if perturb:
        result.metrics["perturbations"] = perturbations(model, cases, result.predicted)
    result.metrics["rows"] = {
        "in": len(every) + unlabelled + len(bad),
        "evaluated": len(cases),
        "without_gold": unlabelled,
        "bad": len(bad),
        "other_split": len(every) - len(cases),
    }
    note(result, file, spec or model.name, model.identity)
    result.metrics["settings"] |= model.settings
    write_evaluation(result, output, bad, with_cases)
    return result, bad, unlabelled


def labelled(file: Path) -> tuple[list[Case], list[BadRow], int]:
    """The cases with gold, the bad rows, and how many rows have no gold. Raises InputError where none has it."""
    found, bad = read_cases(file)
    cases = [case for case in found if case.gold is not None]
    unlabelled = len(found) - len(cases)
    if not cases:
        raise InputError(
            f"{file}: none of its {len(found) + len(bad)} rows can be evaluated: {unlabelled} have no gold level, "
            f"{len(bad)} are bad" + (f" (row {bad[0].row}: {bad[0].reason})." if bad else ".")
        )
    return cases, bad, unlabelled


def _of_split(cases: list[Case], split: Split | None, file: Path) -> list[Case]:
    if split is None:
        return cases
    found = [case for case in cases if case.split == split]
    if not found:
        there = ", ".join(f"{name or 'no split'} ({n})" for name, n in Counter(c.split for c in cases).most_common())
        raise InputError(f"{file}: no labelled row has the split {split}; there are {there}.")
    return found


def only_open(cases: Sequence[Case], file: Path) -> None:
    """Raises InputError unless all cases are open: the text of credentialed ones enters no report."""
    closed = [case for case in cases if case.licence != "open"]
    if closed:
        raise InputError(
            f"{file}: {len(closed)} of {len(cases)} cases are credentialed (case_id {closed[0].case_id!r} is the "
            "first; a row that says no licence counts as such), and a report never shows their text; leave out "
            "--with-cases."
        )


def note(result: Evaluation, file: Path, spec: str, identity: str | None = None) -> None:
    """Note the scoring in the ledger beside `file`; the result then says so, and how often the set was used."""
    sha256, settings = sha256_of(file), settings_of(spec, identity)
    ledger.append(file, sha256, result.model, settings["model_sha256"], result.metrics)
    result.metrics.update(
        {
            "model": result.model,
            "settings": settings,
            "cases_file": file.name,
            "cases_sha256": sha256,
            "licences": sorted({case.licence for case in result.cases}),
            "ledger": ledger.use_of(file, sha256),
        }
    )


def write_evaluation(result: Evaluation, output: Path, bad: Sequence[BadRow] = (), with_cases: bool = False) -> None:
    """Write metrics.json, predictions.parquet (predictions-2.parquet, ...), report.html, report.md into `output`."""
    output.mkdir(parents=True, exist_ok=True)
    predictions = output / "predictions.parquet"
    for k, replies in enumerate((result.replies, *result.samples), start=1):
        rows = [prediction(case, reply) for case, reply in zip(result.cases, replies, strict=True)]
        write_predictions(rows, predictions if k == 1 else output / f"predictions-{k}.parquet")
    write_quarantine(list(bad), predictions)
    shown = list(zip(result.cases, result.replies, strict=True)) if with_cases else []
    write_report(result.model, result.metrics, output, [asdict(row) for row in bad], shown)
    write_json(output / "metrics.json", result.metrics)
    close(predictions, chain(result.replies, *result.samples))
