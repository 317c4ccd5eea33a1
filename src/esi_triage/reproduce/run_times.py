"""How long runs take: measured where runs have finished, assumed from a probe of a few steps where none has."""

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import fmean

from ..atomic_files import write_json
from ..errors import InputError
from ..train.experiment import Experiment
from ..train.launch import start
from ..train.run import Run, find_run

PROBED = 3  # steps


class RunTimes:
    """Seconds of training steps from the runs' metrics, and of all the rest (loading, evaluation) as it was measured.

    What was measured of the rest is kept in `file`, for a tournament that goes on. `cases` are evaluated after each
    training; until that was measured once it counts like a training step for as many rows.
    """

    def __init__(self, file: Path, cases: int) -> None:
        self.file, self.cases = file, cases
        self.rest: dict[str, float] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        self.steps: list[tuple[str, str, float]] = []  # member, method, seconds a step and row
        self.probes: dict[str, float] = {}  # by method, seconds a step and row

    def learn(self, experiment: Experiment, run: Run) -> None:
        """Take the seconds a step from a finished run; one that does not say where it went on is passed over."""
        if (seconds := step_seconds(run)) is not None:
            self.steps.append((experiment.name, experiment.method, seconds / _rows(experiment)))

    def keep(self, run: Run, key: str, wall: float) -> None:
        """Write down what a run that was trained and evaluated in `wall` seconds took beside its training."""
        trained = run.metric_rows()[-1].get("times", {}).get("train_runtime", 0.0)
        self.rest[key] = max(0.0, wall - trained)
        write_json(self.file, self.rest)

    def probe(self, experiments: Iterable[Experiment], folder: Path, finished: Mapping[str, Path]) -> None:
        """Train a few steps in `folder` for each method of which nothing was measured, with the first of each.

        GRPO starts from its parent's `finished` run by name, or from the parent's probe; that one's answers are long.
        """
        for experiment in experiments:
            if self._a_row(experiment) is None:
                trainer = experiment.trainer.model_copy(update={"max_steps": PROBED})
                short = experiment.model_copy(update={"trainer": trainer})
                parent = finished.get(experiment.parent or "", folder / (experiment.parent or ""))
                _make_room(folder / experiment.name, short, parent)
                run = start(short, folder / experiment.name, parent)
                self.probes[experiment.method] = (step_seconds(run) or 0.0) / _rows(experiment)

    def basis(self) -> str:
        """What the times rest on, for a person."""
        told = [f"measured on {len(self.steps)} finished run{'s' * (len(self.steps) != 1)}"] if self.steps else []
        if self.probes:
            methods = " and ".join(method.upper() for method in self.probes)
            told.append(f"{methods} assumed from a probe of {PROBED} steps")
        if not self.rest:
            told.append("evaluation assumed to take as long as training on as many rows")
        return "; ".join(told)

    def expected(self, experiment: Experiment, run: Run) -> float | None:
        """Seconds that a run still takes, trained or begun or not; None where nothing like it was measured."""
        a_row = self._a_row(experiment)
        if a_row is None:
            return None
        left = 0 if run.finished else max(0, experiment.trainer.max_steps - run.steps_done)
        rest = fmean(self.rest.values()) if self.rest else self.cases * a_row
        return left * a_row * _rows(experiment) + rest

    def _a_row(self, experiment: Experiment) -> float | None:
        own = [seconds for member, _, seconds in self.steps if member == experiment.name]
        alike = [seconds for _, method, seconds in self.steps if method == experiment.method]
        found = own or alike
        return fmean(found) if found else self.probes.get(experiment.method)


def _make_room(folder: Path, short: Experiment, parent: Path) -> None:
    """Remove an earlier call's probe that this one cannot take over: it began from another run of the parent."""
    try:
        find_run(folder, short, parent)
    except InputError:
        shutil.rmtree(folder)


def step_seconds(run: Run) -> float | None:
    """Seconds a step of a finished run, from the last row of its metrics; None where the row does not say."""
    row = run.metric_rows()[-1]
    times = row.get("times", {})
    if not {"train_runtime", "from_step"} <= times.keys() or row["step"] <= times["from_step"]:
        return None
    return times["train_runtime"] / (row["step"] - times["from_step"])


def _rows(experiment: Experiment) -> int:
    """Rows that a step learns from."""
    settings = experiment.trainer
    return settings.per_device_train_batch_size * settings.gradient_accumulation_steps


def hours_and_minutes(seconds: float) -> str:
    """`2 h 05 min`, `12 min`, `40 s`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
