"""How long an evaluation takes, and how much memory: every figure with its interval, and a paired comparison.

    python benchmarks/evaluation.py [--cases 100000] [--resamples 2000]

An eighth, a half and all of the cases are evaluated, each in a process of its own, so that time can be seen to grow in
proportion. Goal: 100,000 predictions with 2,000 resamples in at most 30 s and 1 GB on two cores. The reference is the
usual bootstrap, one resample of kappa by scikit-learn after another, timed on 5 resamples.
"""

import argparse
import multiprocessing
import resource
import time
from typing import Any

import numpy as np


def answers(n: int) -> dict[str, Any]:
    """`n` made-up answers: gold as nurses give it, most patients with two cases, probabilities, one in fifty silent."""
    rng = np.random.default_rng(0)
    gold = rng.choice(5, n, p=[0.057, 0.337, 0.538, 0.064, 0.004]) + 1
    off = rng.choice([-2, -1, 0, 1, 2], n, p=[0.02, 0.15, 0.63, 0.18, 0.02])
    silent, level = rng.random(n) < 0.02, np.clip(gold + off, 1, 5)
    sure = np.full((n, 5), 0.2)
    sure[np.arange(n), level - 1] += 5
    table = np.array([rng.dirichlet(row) for row in sure])
    return {
        "gold": gold.tolist(),
        "predicted": [None if s else k for s, k in zip(silent, level.tolist(), strict=True)],
        "clusters": [str(s) for s in rng.integers(0, max(1, n // 2), n)],
        "probabilities": [None if s else p for s, p in zip(silent, table.tolist(), strict=True)],
    }


def one_evaluation(n: int, resamples: int, found: Any) -> None:
    """Sends seconds for the levels alone, with probabilities, for a comparison; CPU seconds of all; peak MB."""
    from esi_triage.evaluate.scored import scored
    from esi_triage.evaluate.statistics.metrics import metrics
    from esi_triage.evaluate.statistics.paired_tests import differences

    given = answers(n)
    probabilities = given.pop("probabilities")
    before, cpu = _peak(), time.process_time()
    seconds = [
        _seconds(lambda: metrics(scored(**given, resamples=resamples))),
        _seconds(lambda: metrics(scored(**given, resamples=resamples), probabilities=probabilities)),
        _seconds(lambda: differences(*_two(given, n, resamples))),
    ]
    found.put((*seconds, time.process_time() - cpu, _peak(), before))


def _two(given: dict[str, Any], n: int, resamples: int) -> Any:
    from esi_triage.evaluate.scored import scored

    first = scored(**given, resamples=resamples)
    return first, first.answered([3] * n)


def reference(n: int) -> float:
    """Seconds for one resample of kappa alone, the usual way."""
    from sklearn.metrics import cohen_kappa_score

    given = answers(n)
    gold, level = np.array(given["gold"]), np.array([p or 1 for p in given["predicted"]])
    rng = np.random.default_rng(0)
    started = time.perf_counter()
    for _ in range(5):
        drawn = rng.integers(0, n, n)
        cohen_kappa_score(gold[drawn], level[drawn], weights="quadratic")
    return (time.perf_counter() - started) / 5


def _seconds(work: Any) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--resamples", type=int, default=2000)
    chosen = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    print("   cases    levels  with probabilities  comparison   of two cores  peak memory  (answers alone)")
    for n in (chosen.cases // 8, chosen.cases // 2, chosen.cases):
        found = context.Queue()
        process = context.Process(target=one_evaluation, args=(n, chosen.resamples, found))
        process.start()
        levels, all_figures, comparison, busy, peak, before = found.get()
        process.join()
        print(
            f"{n:>8}  {levels:6.2f} s  {all_figures:16.2f} s  {comparison:8.2f} s  {busy:8.2f} s CPU  {peak:8.0f} MB"
            f"  ({before:.0f} MB)"
        )
    each = reference(chosen.cases)
    print(f"kappa alone, one resample after another with scikit-learn: {each * chosen.resamples:.0f} s")


if __name__ == "__main__":
    main()
