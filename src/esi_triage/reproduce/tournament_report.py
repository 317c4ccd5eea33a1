"""The report of a tournament: every member over its training seeds, in tournament.html and tournament.json."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..atomic_files import write_json
from ..evaluate.measurement import Evaluation
from ..page import write_page
from ..train.experiment import Experiment
from ..train.run import Run
from .over_seeds import SeedSpread, difference_over_seeds, spread_over_seeds
from .predicted_levels import ACTIONS, LevelShare, by_member, level_shares, prediction_quality
from .series_report import share_predictions
from .tournament_figures import answers_figure, exact_figure, predicted_figure, spread_figure

ROOM = "esi_triage.reproduce"
LABELS = {
    "exact": "exact",
    "high_acuity_sensitivity": "sensitivity for ESI 1-2",
    "under_triage": "under-triage",
    "over_triage": "over-triage",
}
RIVAL = "v46"  # beside its warm start, every other member is held against the card's result

Done = Mapping[int, Mapping[str, Evaluation]]  # evaluations by seed and member


class PairOverSeeds(NamedTuple):
    """Two members on the same cases with the same seeds: `second` less `first`."""

    first: str
    second: str
    differences: dict[str, SeedSpread]

    def higher(self, name: str) -> int:
        """With how many seeds the difference is above 0."""
        return sum(value > 0 for value in self.differences[name].values)


def write_tournament_report(
    members: list[Experiment], runs: Mapping[str, list[Run]], done: Done, left: list[str], output: Path
) -> Path:
    """tournament.html and tournament.json in `output`; `runs` are the finished ones by member, `left` the others."""
    present = [member for member in members if runs[member.name]]
    figures = {m.name: spread_over_seeds([e.scored for e in _over_seeds(done, m.name)]) for m in present}
    pairs = _pairs(present, done)
    shares = _level_shares(present, done)
    quality = prediction_quality(shares) if shares else {}
    write_json(
        output / "tournament.json",
        {
            "members": {name: {k: s.to_dict() for k, s in found.items()} for name, found in figures.items()},
            "pairs": [
                {"first": p.first, "second": p.second} | {k: s.to_dict() for k, s in p.differences.items()}
                for p in pairs
            ],
            "predicted": {"quality": quality, "shares": [share._asdict() for share in shares]},
            "left_out": left,
        },
    )
    report = output / "tournament.html"
    first = next(iter(done.values()))
    write_page(
        ROOM,
        "tournament.html",
        report,
        members=present,
        labels=LABELS,
        figures=figures,
        pairs=pairs,
        quality=quality,
        predicted=by_member(shares),
        actions=ACTIONS,
        drawn=_drawn(present, runs, figures, shares, quality),
        seeds=sorted(done),
        cases=len(next(iter(first.values())).cases),
        left=left,
        base=members[0].base,
        profile=members[0].profile,
        data=None if members[0].data.source == "open" else Path(members[0].data.source).name,
        environment=json.loads((runs[present[0].name][0].folder / "environment.json").read_text(encoding="utf-8")),
    )
    return report


def _over_seeds(done: Done, member: str) -> list[Evaluation]:
    return [results[member] for _, results in sorted(done.items()) if member in results]


def _pairs(members: list[Experiment], done: Done) -> list[PairOverSeeds]:
    """Each member with its warm start and with `RIVAL`, on the seeds that have both."""
    names = [member.name for member in members]
    wanted = [(member.parent, member.name) for member in members if member.parent in names]
    wanted += [(RIVAL, m.name) for m in members if RIVAL in names and m.reward and RIVAL not in (m.name, m.parent)]
    return [pair for first, second in wanted if first and (pair := _pair(first, second, done))]


def _pair(first: str, second: str, done: Done) -> PairOverSeeds | None:
    both = {seed: results for seed, results in done.items() if {first, second} <= results.keys()}
    if not both:
        return None
    answers = [[evaluation.scored for evaluation in _over_seeds(both, name)] for name in (first, second)]
    return PairOverSeeds(first, second, difference_over_seeds(*answers))


def _level_shares(members: list[Experiment], done: Done) -> list[LevelShare]:
    found: list[LevelShare] = []
    start = members[0].name  # a series begins with the warm start of all
    for seed, results in sorted(done.items()):
        there = [member for member in members if member.name in results]
        found += level_shares(seed, share_predictions(there, dict(results)), results, start)
    return found


def _drawn(
    members: list[Experiment],
    runs: Mapping[str, list[Run]],
    figures: Mapping[str, Mapping[str, SeedSpread]],
    shares: list[LevelShare],
    quality: Mapping[str, Any],
) -> dict[str, bytes]:
    rows = {member.name: [_watched(run) for run in runs[member.name]] for member in members}
    rows = {name: seeds for name, seeds in rows.items() if all(seeds)}
    drawn = {"spread": spread_figure(figures, LABELS)}
    if rows:
        drawn["exact"] = exact_figure(rows)
    if shares:
        drawn["predicted"] = predicted_figure(shares, quality["mean_absolute_error"])
    return drawn | {name: answers_figure(seeds, f"{name}: what the rollouts answer") for name, seeds in rows.items()}


def _watched(run: Run) -> list[dict[str, Any]]:
    return [row for row in run.metric_rows() if "watch/answered_1" in row]
