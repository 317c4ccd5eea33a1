"""The report of a series: this run beside the card, training curves, confusions, what was seen and what was not."""

import json
import shutil
from pathlib import Path
from typing import Any

from ..evaluate.measurement import Evaluation
from ..evaluate.report.card_claims import card_results, check_claims, on_the_card_s_cases
from ..evaluate.report.evaluation_report import ROOM
from ..evaluate.report.figures import confusion_figure, drawn, rewards_figure, shares_figure, summary_figure
from ..evaluate.report.predicted_shares import SharePrediction, predict_shares
from ..evaluate.report.sections import sections
from ..evaluate.report.summary import trivial_rows
from ..evaluate.statistics.paired_tests import paired
from ..page import write_page
from ..reward import Score
from ..train.experiment import Experiment, GrpoSettings
from ..train.run import Run
from .series_data import all_open


def write_series_report(
    members: list[Experiment], runs: dict[str, Run], results: dict[str, Evaluation], output: Path
) -> Path:
    """report.html and figures/*.png in `output`."""
    figures = {name: _figures(runs[name], results[name]) for name in runs}
    _write_figures(figures, output / "figures")
    first = next(iter(results.values()))
    measured = {name: result.metrics for name, result in results.items()}
    baselines = trivial_rows(first.metrics)
    report = output / "report.html"
    write_page(
        ROOM,
        "series.html",
        report,
        members=members,
        results=measured,
        card=card_results(),
        same_cases=on_the_card_s_cases(first.metrics),
        baselines=baselines,
        overview=summary_figure(measured | baselines, len(measured)),
        against_parent={m.name: _against_parent(m, results) for m in members if m.parent},
        claims=check_claims(results),
        predicted_shares=share_predictions(members, results),
        figures=figures,
        sections={name: sections(name, result.metrics) for name, result in results.items()},
        drawn={name: drawn(name, result.metrics) for name, result in results.items()},
        training={name: _training(run) for name, run in runs.items()},
        samples=_samples(results),
        base=members[0].base,
        data=None if members[0].data.source == "open" else Path(members[0].data.source).name,
        profile=members[0].profile,
        environment=_read(runs[members[0].name].folder / "environment.json"),
    )
    return report


def _write_figures(figures: dict[str, dict[str, bytes]], folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, drawings in figures.items():
        for kind, image in drawings.items():
            (folder / f"{name}-{kind}.png").write_bytes(image)


GREEDY = 0.01  # a temperature at which the likeliest answer is drawn all but always


def share_predictions(members: list[Experiment], results: dict[str, Evaluation]) -> list[SharePrediction]:
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
    if start not in by_name:
        return []
    protocol = by_name[start].evaluate
    return predict_shares(
        chains, results, card_results(), start, protocol.temperature if protocol.do_sample else GREEDY
    )


def _against_parent(member: Experiment, results: dict[str, Evaluation]) -> dict[str, Any]:
    parent, child = results[member.parent or ""], results[member.name]
    return {"parent": member.parent, **paired(parent.scored, child.scored)}


def _figures(run: Run, result: Evaluation) -> dict[str, bytes]:
    drawn = {"confusion": confusion_figure(result.metrics["confusion"], result.model)}
    rows = [row for row in run.metric_rows() if "watch/answered_1" in row]
    if rows:
        steps = [row["step"] for row in rows]
        shares = {str(level): [row[f"watch/answered_{level}"] for row in rows] for level in range(1, 6)}
        shares["none"] = [row["watch/none"] for row in rows]
        parts = {
            part: [row[f"rewards/{part}/mean"] for row in rows]
            for part in Score._fields
            if f"rewards/{part}/mean" in rows[0]
        }
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
        "exact among rollouts": "watch/exact",
        "off by one among rollouts": "watch/by_one",
        "no answer": "watch/none",
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
    if not all_open(cases):
        return []
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
