"""How far a prompt moves the simulated logits: predicted against observed shares of a tournament, by step size.

    python benchmarks/simulated_step.py FOLDER --data visits.parquet --series v43,v45c,v46,v47 --cases 2000 --seeds 5

Mean absolute errors in points, on the first training seed, on which RATE of evaluate/report/predicted_shares.py was
chosen, and on the others, which test it; beside them what the warm start's own shares are off by. Nothing is trained.
"""

import argparse
from pathlib import Path

from esi_triage.evaluate.report import predicted_shares
from esi_triage.reproduce.model_card_series import is_done, load_series, train_and_evaluate
from esi_triage.reproduce.predicted_levels import LevelShare, level_shares, prediction_quality
from esi_triage.reproduce.series_report import share_predictions
from esi_triage.reproduce.tournament import queue_of

RATES = (0.002, 0.003, 0.005, 0.007, 0.01, 0.03, 0.1, 0.3)


def main() -> None:
    """Print a row for each step size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="the tournament's folder")
    parser.add_argument("--data", required=True)
    parser.add_argument("--series", required=True)
    parser.add_argument("--cases", type=int, required=True)
    parser.add_argument("--seeds", type=int, required=True)
    chosen = parser.parse_args()
    members, data = load_series(chosen.series, "tiny", "full", chosen.cases, chosen.output, chosen.data, None)
    seeds: dict[int, dict] = {}
    for entry in queue_of(members, chosen.output, chosen.seeds):
        if not is_done(entry.experiment, entry.folder, data):
            raise SystemExit(f"{entry}: not finished; run esi reproduce with these options first.")
        results = seeds.setdefault(entry.seed, {})
        _, results[entry.experiment.name] = train_and_evaluate(entry.experiment, entry.folder, data, results)
    for rate in RATES:
        predicted_shares.RATE = rate
        shares = {
            seed: level_shares(seed, share_predictions(members, results), results, members[0].name)
            for seed, results in seeds.items()
        }
        first, others = shares[1], [share for seed, found in shares.items() if seed > 1 for share in found]
        print(f"{rate:g}: first seed {_told(first)}" + (f"; others {_told(others)}" if others else ""))


def _told(shares: list[LevelShare]) -> str:
    quality = prediction_quality(shares)
    error, unmoved = quality["mean_absolute_error"], quality["mean_absolute_error_of_no_change"]
    return f"{100 * error:.2f} points of {quality['n']} shares (no change {100 * unmoved:.2f})"


if __name__ == "__main__":
    main()
