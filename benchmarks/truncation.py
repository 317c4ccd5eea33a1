"""The card's v48 by experiment: does a token limit that cuts answers off teach a policy to fall silent?

    python benchmarks/truncation.py --parent runs/tiny/v43 --data visits.parquet -o runs/truncation

GRPO from one warm start with v46's and v48's table, completions that run into the limit masked or not, and once with
brevity punished in place of rewarded, so that longer texts earn more. Each arm prints the share of rollouts without an
answer at the limit in the first and last tenth of training, how long they were, and the share of held-out cases without
an answer at twice the limit, as the card evaluates. A killed run goes on where it was.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from esi_triage.atomic_files import write_text
from esi_triage.evaluate.statistics.intervals import proportion
from esi_triage.page import interval
from esi_triage.predict import load_model
from esi_triage.predict.score_file import replies_to
from esi_triage.reproduce.series_data import find_data
from esi_triage.reward import load_design
from esi_triage.reward.repair import design_as_toml
from esi_triage.train.experiment import Experiment, load_experiment
from esi_triage.train.launch import start
from esi_triage.train.run import Run


@dataclass(frozen=True)
class Arm:
    """What is trained: the design's table, whether cut completions are masked, whether brevity is punished."""

    design: str
    masked: bool
    long_rewarded: bool = False

    @property
    def name(self) -> str:
        """For the folder and the printed row."""
        return f"{self.design}{'-masked' if self.masked else ''}{'-long' if self.long_rewarded else ''}"


ARMS = [Arm(design, masked) for design in ("v46", "v48") for masked in (False, True)]
ARMS += [Arm("v48", False, long_rewarded=True)]


def experiment_of(arm: Arm, limit: int, source: str | None, folder: Path) -> Experiment:
    """v46's experiment with the arm's design, the limit in training, and twice the limit in evaluation."""
    first = load_experiment("v46", "tiny", source=source)
    design = load_design(arm.design)
    bonus = -design.length_bonus if arm.long_rewarded else design.length_bonus
    file = folder / f"{arm.name}.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, design_as_toml(design.model_copy(update={"name": arm.name, "length_bonus": bonus})))
    trainer = first.trainer.model_copy(
        update={"max_completion_length": limit, "mask_truncated_completions": arm.masked}
    )
    evaluate = first.evaluate.model_copy(update={"max_new_tokens": 2 * limit})
    return first.model_copy(update={"name": arm.name, "reward": str(file), "trainer": trainer, "evaluate": evaluate})


def tenths(run: Run, key: str) -> str:
    """The means of a metric over the first and the last tenth of the steps."""
    values = [row[key] for row in run.metric_rows() if key in row]
    tenth = max(1, len(values) // 10)
    return f"{np.mean(values[:tenth]):.2f} -> {np.mean(values[-tenth:]):.2f}"


def main() -> None:
    """Train and evaluate every arm, and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parent", type=Path, required=True, help="the run of v43 that all arms start from")
    parser.add_argument("--data", help="the case table that v43 was trained on; default: the open corpus")
    parser.add_argument("--limit", type=int, default=104, help="tokens of a completion in training")
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("-o", "--output", type=Path, required=True)
    chosen = parser.parse_args()
    base = load_experiment("v46", "tiny")
    found = find_data(chosen.data, None, chosen.cases, base.data, chosen.output)
    print(f"limit {chosen.limit} tokens; no answer and mean length of rollouts: first tenth -> last tenth of training")
    for arm in ARMS:
        experiment = experiment_of(arm, chosen.limit, found.source, chosen.output)
        run = start(experiment, chosen.output / arm.name, chosen.parent)
        replies = replies_to(load_model(str(run.folder)), found.cases, arm.name, run.folder / "predictions.parquet")
        silent = proportion(sum(reply.level is None for reply in replies), len(replies))
        print(
            f"{arm.name}: no answer {tenths(run, 'watch/none')}, cut {tenths(run, 'completions/clipped_ratio')}, "
            f"tokens {tenths(run, 'completions/mean_length')}; held out, twice the limit: no answer {interval(silent)}"
        )


if __name__ == "__main__":
    main()
