"""A tournament as its report sees it, made up: evaluations by seed and member, and run folders with logged rows."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from esi_triage.esi import Case
from esi_triage.evaluate.measurement import Evaluation
from esi_triage.evaluate.scored import Scored, scored
from esi_triage.evaluate.statistics.metrics import metrics
from esi_triage.predict.model import Reply
from esi_triage.reproduce.tournament import Entry, queue_of
from esi_triage.train.experiment import Experiment, load_experiment
from esi_triage.train.run import Run

SHARES = (0.09, 0.3, 0.35, 0.17, 0.09)
TOWARDS = {"v43": (0.58, 0.0), "v45c": (0.3, 0.6), "v46": (0.66, 0.05)}  # exact, and of the others called ESI-1


def answers(rng: np.random.Generator, gold: Sequence[int], exact: float, to_first: float) -> list[int | None]:
    near = [int(np.clip(level + rng.choice([-1, 1]), 1, 5)) for level in gold]
    drawn = rng.random((len(gold), 2))
    return [
        level if one < exact else 1 if two < to_first else other
        for level, other, (one, two) in zip(gold, near, drawn, strict=True)
    ]


def made_scores(seeds: int, cases: int, exact: float, spread: float = 0.0, seed: int = 0) -> list[Scored]:
    """Answers of one member to the same cases with each seed; `spread` is the SD of exactness over seeds."""
    rng = np.random.default_rng(seed)
    gold = rng.choice(5, size=cases, p=SHARES) + 1
    chances = np.clip(rng.normal(exact, spread, size=seeds), 0.02, 0.98)
    return [scored(gold.tolist(), answers(rng, gold.tolist(), chance, 0.0)) for chance in chances]


def made_tournament(
    output: Path, seeds: int, cases: int, names: Sequence[str] = tuple(TOWARDS)
) -> tuple[list[Experiment], list[Entry], dict[int, dict[str, Evaluation]]]:
    """Members, their queue with finished runs in `output`, and what they answered."""
    members = [load_experiment(name, "tiny", "smoke") for name in names]
    gold = (np.random.default_rng(0).choice(5, size=cases, p=SHARES) + 1).tolist()
    table = [
        Case(case_id=f"{i}", source="made up", licence="open", narrative="a note", gold=g) for i, g in enumerate(gold)
    ]
    queue, done = queue_of(members, output, seeds), {}
    for entry in queue:
        name = entry.experiment.name
        rng = np.random.default_rng([entry.seed, len(done), names.index(name)])
        exact, to_first = TOWARDS[name]
        levels = answers(rng, gold, exact + rng.normal(0, 0.03), to_first)
        measured = metrics(scored(gold, levels, resamples=20))
        replies = [Reply(level, "", strict=False) for level in levels]
        done.setdefault(entry.seed, {})[name] = Evaluation(name, table, replies, measured)
        _write_run(entry.run, rng, grpo=entry.experiment.method == "grpo", exact=exact, to_first=to_first)
    return members, queue, done


def _write_run(run: Run, rng: np.random.Generator, grpo: bool, exact: float, to_first: float) -> None:
    run.folder.mkdir(parents=True)
    (run.folder / "environment.json").write_text(json.dumps({"device": "cpu", "cores": 2}))
    steps = np.arange(1, 41)
    rows = [{"step": int(step)} for step in steps]
    if grpo:
        for row in rows:
            part = row["step"] / 40
            first = 0.09 + part * to_first + rng.normal(0, 0.02)
            rest = (1 - first) / 4
            row |= {"watch/exact": 0.55 + part * (exact - 0.55) + rng.normal(0, 0.03), "watch/none": 0.0}
            row |= {"watch/answered_1": first} | {f"watch/answered_{k}": rest for k in (2, 3, 4, 5)}
    summary = {"step": 40, "times": {"train_runtime": 40.0 if grpo else 20.0, "from_step": 0}}
    (run.folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*rows, summary]))
