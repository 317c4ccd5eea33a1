"""A tournament: every member of a series with several training seeds, as a queue that goes on where it was.

A seed's runs are ordinary runs. The first seed's lie where those of an ordinary series do, so a series that was run
before is taken up; seed 2's lie in `seed-2`, and so on. Seeds change which cases are drawn for training, the new
adapter, and the rollouts. Base model, corpus and held-out cases are the same for all.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..errors import InputError
from ..evaluate.measurement import Evaluation
from ..train.experiment import Experiment
from ..train.run import Run
from .model_card_series import is_done, load_series, train_and_evaluate
from .run_times import RunTimes, hours_and_minutes
from .series_data import SeriesData
from .series_report import write_series_report
from .tournament_report import write_tournament_report

APART = 1000  # between the seeds of one experiment: no member's second seed is another's first


class Entry(NamedTuple):
    """One run of the queue: a member with its seed of the tournament (from 1), and the folder of that seed's runs."""

    seed: int
    experiment: Experiment
    folder: Path

    @property
    def run(self) -> Run:
        """Where the run is, or will be."""
        return Run(self.folder / self.experiment.name)

    def __str__(self) -> str:
        return f"{self.experiment.name} seed {self.seed}"


def hold_tournament(
    series: str,
    base: str,
    profile: str,
    cases: int,
    output: Path,
    data: str | None = None,
    test: Path | None = None,
    *,
    seeds: int = 1,
    budget: float | None = None,
) -> Path:
    """Train and evaluate each member with each of `seeds` seeds in `output`; return the report over all of them.

    `budget` is in hours of this call, preparations included: what is not expected to end within it is not started,
    and the report names it. The other arguments are those of `reproduce_series`, and so is what happens after a kill.
    Raises InputError as it does, and where not even the first run fits.
    """
    began = time.monotonic()
    members, found = load_series(series, base, profile, cases, output, data, test)
    queue = queue_of(members, output, seeds)
    waiting = [entry for entry in queue if not is_done(entry.experiment, entry.folder, found)]
    times = RunTimes(output / "tournament-times.json", len(found.cases))
    for entry in queue:
        if entry.run.finished:
            times.learn(entry.experiment, entry.run)
    if budget is not None and waiting:
        finished = {entry.experiment.name: entry.run.folder for entry in queue if entry.run.finished}
        times.probe([entry.experiment for entry in waiting], output / "probe", finished)
        _tell_plan(queue, waiting, times, budget, began)
    done = _run_queue(queue, waiting, found, times, began, None if budget is None else 3600 * budget)
    left = [str(entry) for entry in queue if entry.experiment.name not in done.get(entry.seed, {})]
    for seed, results in done.items():
        trained = [entry for entry in queue if entry.seed == seed and entry.experiment.name in results]
        runs = {entry.experiment.name: entry.run for entry in trained}
        write_series_report([entry.experiment for entry in trained], runs, results, trained[0].folder)
    runs = {
        name: [e.run for e in queue if e.experiment.name == name and str(e) not in left] for name in _names(members)
    }
    return write_tournament_report(members, runs, done, left, output)


def queue_of(members: list[Experiment], output: Path, seeds: int) -> list[Entry]:
    """All runs, a seed after another; parents come before their children."""
    return [
        Entry(
            seed,
            member.model_copy(update={"seed": member.seed + APART * (seed - 1)}),
            output if seed == 1 else output / f"seed-{seed}",
        )
        for seed in range(1, seeds + 1)
        for member in members
    ]


def fitting(waiting: list[Entry], times: RunTimes, seconds: float) -> tuple[list[Entry], float]:
    """The first of the waiting runs that are expected to end within `seconds`, and how long all would take."""
    fits, total = [], 0.0
    for entry in waiting:
        total += times.expected(entry.experiment, entry.run) or 0.0
        if total <= seconds:
            fits.append(entry)
    return fits, total


def _tell_plan(queue: list[Entry], waiting: list[Entry], times: RunTimes, budget: float, began: float) -> None:
    passed = time.monotonic() - began
    fits, total = fitting(waiting, times, 3600 * budget - passed)
    _say(
        f"tournament: {len(waiting)} of {len(queue)} runs are to be done, about {hours_and_minutes(total)} "
        f"({times.basis()})."
    )
    if not fits:
        first = hours_and_minutes(times.expected(waiting[0].experiment, waiting[0].run) or 0.0)
        raise InputError(
            f"--budget {budget:g}: {waiting[0]} comes first and is expected to take {first} after the "
            f"{hours_and_minutes(passed)} that were spent; give more hours."
        )
    left = ", ".join(map(str, waiting[len(fits) :])) or "nothing"
    _say(f"tournament: {len(fits)} of them fit into {hours_and_minutes(3600 * budget)}; left out: {left}.")


def _run_queue(
    queue: list[Entry], waiting: list[Entry], data: SeriesData, times: RunTimes, began: float, seconds: float | None
) -> dict[int, dict[str, Evaluation]]:
    """The evaluations by seed and member: those that there are, then those that are run until the time is spent.

    The `seconds` are counted from `began`.
    """
    done: dict[int, dict[str, Evaluation]] = {}
    spent = False
    for entry in queue:
        results = done.setdefault(entry.seed, {})
        if entry in waiting:
            passed = time.monotonic() - began
            expected = times.expected(entry.experiment, entry.run)
            spent = spent or (seconds is not None and passed + (expected or 0.0) > seconds)
            if spent:
                continue
            _say_where(waiting, entry, times, passed)
            began_run, trains = time.monotonic(), not entry.run.finished
            run, results[entry.experiment.name] = train_and_evaluate(entry.experiment, entry.folder, data, results)
            if trains:
                times.learn(entry.experiment, run)
                times.keep(run, str(entry), time.monotonic() - began_run)
        else:
            _, results[entry.experiment.name] = train_and_evaluate(entry.experiment, entry.folder, data, results)
    return {seed: results for seed, results in done.items() if results}


def _say_where(waiting: list[Entry], entry: Entry, times: RunTimes, passed: float) -> None:
    place = waiting.index(entry)
    left = [times.expected(later.experiment, later.run) for later in waiting[place:]]
    known = [seconds for seconds in left if seconds is not None]
    about = f"about {hours_and_minutes(sum(known))} left" if len(known) == len(left) else "time left not known yet"
    _say(f"run {place + 1} of {len(waiting)}: {entry}; {hours_and_minutes(passed)} so far, {about}")


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _names(members: list[Experiment]) -> Iterator[str]:
    return (member.name for member in members)
