"""The main job: the model card's series from data to one report.

1. Held-out cases of the open corpus: whole patients, in no experiment's training data.
2. Each member in turn: train it (parents first), evaluate it on the same held-out cases.
3. One report: this run's table beside the card's, training curves, confusion matrices, what was seen and what was not.
"""

import json
import shutil
from itertools import islice
from pathlib import Path
from typing import Any

from .data.open_corpus import open_cases
from .data.table import read_cases, write_cases
from .errors import InputError
from .esi import Case
from .evaluate.claims import card_results, check_claims
from .evaluate.evaluation import Evaluation, measure, note, write_evaluation
from .evaluate.figures import confusion_figure, drawn, rewards_figure, shares_figure
from .evaluate.foretold import Foretold, foretell
from .evaluate.metrics import metrics, paired
from .evaluate.report import ROOM
from .evaluate.sections import sections
from .files import sha256_of, whole
from .page import write_page
from .predict import load_model
from .predict.scoring import read_replies, replies_to
from .train.experiment import DataSettings, Experiment, GrpoSettings, load_experiment
from .train.run import Run
from .train.start import start

ALL = ("v43", "v45c", "v46", "v47", "v48", "audited")


def reproduce_series(series: str, base: str, profile: str, cases: int, output: Path) -> Path:
    """Train and evaluate a series of experiments in `output` and return its report.

    `series` is names joined by commas, or `all`. Members that have finished are not trained again, so an interrupted
    series goes on. Raises InputError for a member that does not exist.
    """
    members = [load_experiment(name, base, profile) for name in in_order(series)]
    held_out = held_out_cases(cases, members[0].data, output / "held_out.parquet")
    results: dict[str, Evaluation] = {}
    runs: dict[str, Run] = {}
    for experiment in members:
        runs[experiment.name] = start(experiment, output / experiment.name, _parent(experiment, output))
        parent = results.get(experiment.parent or "")
        results[experiment.name] = _evaluated(runs[experiment.name], held_out, output / "held_out.parquet", parent)
    return write_series_report(members, runs, results, output)


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


def held_out_cases(n: int, data: DataSettings, file: Path) -> list[Case]:
    """`n` held-out cases of the corpus on which the series trains, kept in `file`."""
    corpus = open_cases(n * 30, data.seed, data.core)
    cases = list(islice((case for case in corpus if case.split == "held_out"), n))
    if not file.is_file() or read_cases(file)[0] != cases:
        write_cases(cases, file)
    return cases


def _parent(experiment: Experiment, output: Path) -> Path | None:
    return output / experiment.parent if experiment.parent else None


def _evaluated(run: Run, cases: list[Case], file: Path, parent: Evaluation | None) -> Evaluation:
    """The member's evaluation beside its warm start's, read back where the same cases have been answered already."""
    marker = run.folder / "evaluated_on.sha256"
    key = sha256_of(file)
    if marker.is_file() and marker.read_text(encoding="utf-8") == key:
        replies = read_replies(run.folder / "predictions.parquet")
        measured = _read(run.folder / "metrics.json")
        return Evaluation(run.folder.name, cases, replies, measured)
    model = load_model(str(run.folder))
    replies = replies_to(model, cases, f"{run.folder.name}: held-out cases", run.folder / "predictions.parquet")
    warm_start = {f"{parent.model} (warm start)": parent.predicted} if parent else {}
    result = measure(run.folder.name, cases, replies, warm_start)
    note(result, file, str(run.folder), model.identity)
    result.metrics["settings"] |= model.settings
    write_evaluation(result, run.folder, with_cases=True)  # the series' cases are the open corpus'
    with whole(marker) as temporary:
        temporary.write_text(key, encoding="utf-8")
    return result


def write_series_report(
    members: list[Experiment], runs: dict[str, Run], results: dict[str, Evaluation], output: Path
) -> Path:
    """report.html and figures/*.png in `output`."""
    figures = {name: _figures(runs[name], results[name]) for name in runs}
    folder = output / "figures"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, pictures in figures.items():
        for kind, image in pictures.items():
            (folder / f"{name}-{kind}.png").write_bytes(image)
    gold = next(iter(results.values())).gold
    report = output / "report.html"
    write_page(
        ROOM,
        "series.html",
        report,
        members=members,
        results={name: result.metrics for name, result in results.items()},
        card=card_results(),
        constant=metrics(gold, [None] * len(gold))["best_constant"],
        against_parent={m.name: _against_parent(m, results) for m in members if m.parent},
        claims=check_claims(results),
        foretold=_foretold(members, results),
        figures=figures,
        sections={name: sections(name, result.metrics) for name, result in results.items()},
        drawn={name: drawn(name, result.metrics) for name, result in results.items()},
        training={name: _training(run) for name, run in runs.items()},
        samples=_samples(results),
        base=members[0].base,
        profile=members[0].profile,
        environment=_read(runs[members[0].name].folder / "environment.json"),
    )
    return report


def _foretold(members: list[Experiment], results: dict[str, Evaluation]) -> list[Foretold]:
    """For each member with a reward: the designs it was trained on, from the warm start on, and how many prompts."""
    by_name = {member.name: member for member in members}
    chains: dict[str, list[tuple[str, int]]] = {}
    start = ""
    for member in members:
        if isinstance(member.trainer, GrpoSettings) and member.reward and member.parent:
            batch = member.trainer.per_device_train_batch_size * member.trainer.gradient_accumulation_steps
            prompts = member.trainer.max_steps * batch // member.trainer.num_generations
            chains[member.name] = [*chains.get(member.parent, []), (member.reward, prompts)]
            start = start or member.parent
    return foretell(chains, results, card_results(), start) if start in by_name else []


def _against_parent(member: Experiment, results: dict[str, Evaluation]) -> dict[str, Any]:
    parent, child = results[member.parent or ""], results[member.name]
    return {"parent": member.parent, **paired(child.gold, parent.predicted, child.predicted)}


def _figures(run: Run, result: Evaluation) -> dict[str, bytes]:
    drawn = {"confusion": confusion_figure(result.metrics["confusion"], result.model)}
    rows = [row for row in run.metric_rows() if "rewards/answer/mean" in row]
    if rows:
        steps = [row["step"] for row in rows]
        shares = {str(level): [row[f"predicted/esi_{level}"] for row in rows] for level in range(1, 6)}
        shares["none"] = [row["predicted/none"] for row in rows]
        parts = {part: [row[f"rewards/{part}/mean"] for row in rows] for part in ("answer", "format", "length")}
        parts["total"] = [row["reward"] for row in rows]
        drawn["shares"] = shares_figure(steps, shares, f"{result.model}: what the rollouts answer")
        drawn["rewards"] = rewards_figure(steps, parts, f"{result.model}: reward by part")
    return drawn


def _training(run: Run) -> dict[str, Any]:
    """First and last tenth of a GRPO training: means of what a person asks about it. Empty for SFT."""
    rows = [row for row in run.metric_rows() if "rewards/answer/mean" in row]
    if not rows:
        return {}
    tenth = max(1, len(rows) // 10)
    asked = {
        "reward": "reward",
        "exact among rollouts": "predicted/exact",
        "off by one among rollouts": "predicted/off_by_one",
        "no answer": "predicted/none",
        "cut off at the limit": "completions/clipped_ratio",
        "groups without signal": "frac_reward_zero_std",
        "mean length (tokens)": "completions/mean_length",
    }
    shares, watch = (_read(run.folder / name) for name in ("class_shares.json", "watch.json"))
    return {
        "steps": rows[-1]["step"],
        "drawn": " · ".join(f"ESI-{level} {100 * share:.0f} %" for level, share in shares["drawn"].items()),
        "watch": list(watch.values()),
        "rows": {label: (_mean(rows[:tenth], key), _mean(rows[-tenth:], key)) for label, key in asked.items()},
    }


def _read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8"))


def _mean(rows: list[dict[str, Any]], key: str) -> float:
    return sum(row[key] for row in rows) / len(rows)


def _samples(results: dict[str, Evaluation], n: int = 4) -> list[dict[str, Any]]:
    """The first held-out cases on which the members disagree (then any), with every member's answer: open data only."""
    evaluations = list(results.values())
    cases = evaluations[0].cases
    levels = [{evaluation.predicted[i] for evaluation in evaluations} for i in range(len(cases))]
    chosen = sorted(range(len(cases)), key=lambda i: len(levels[i]) < min(2, len(evaluations)))[:n]
    return [
        {
            "narrative": cases[i].narrative,
            "gold": cases[i].gold,
            "answers": {name: result.replies[i].text for name, result in results.items()},
        }
        for i in chosen
    ]
