"""The reward lab on one core: an audit as a process, start-up included, and a 750-step simulation of all designs.

python benchmarks/reward_lab.py [--seeds 20]
"""

import argparse
import os
import subprocess
import sys
import time

from esi_triage.reward.design import design_names, load_design
from esi_triage.reward.policy import read_prior
from esi_triage.reward.simulate import Regime, simulate


def audit(design: str, times: int = 5) -> float:
    """Seconds of wall clock that `esi reward audit` takes, the median of a few runs."""
    command = [sys.executable, "-m", "esi_triage.cli.main", "reward", "audit", design, "--fail-on", "error"]
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True)
        taken.append(time.perf_counter() - started)
        if done.returncode not in (0, 1):
            raise SystemExit(done.stderr)
    return sorted(taken)[times // 2]


def main() -> None:
    """Print the seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20, help="seeds of each simulated design")
    seeds = parser.parse_args().seeds
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {0})
    prior, designs = read_prior("mimic-iv-ed", 5), [load_design(name) for name in design_names()]
    print(f"one core; {len(designs)} designs: {', '.join(design.name for design in designs)}")
    print(f"  esi reward audit v46, start-up included      {audit('v46'):6.2f} s   (bar: under 1 s)")
    started = time.perf_counter()
    simulate([(design, Regime(shared=0.5)) for design in designs], prior, steps=750, seeds=seeds)
    print(
        f"  750 steps of all designs, {seeds} seeds each     {time.perf_counter() - started:6.2f} s   (bar: under 60 s)"
    )


if __name__ == "__main__":
    main()
