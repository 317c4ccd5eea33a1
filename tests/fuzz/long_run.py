"""`make fuzz`: ten thousand bad and odd inputs, and a report on them. Exit code 1 where a bar is broken."""

import argparse
import resource
import sys
import tempfile
import time
from collections import Counter
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

from faulty_server import faulty_server
from fuzz_targets import ENDPOINT_CASES, TARGETS, endpoint
from runner import Outcome, tried
from tqdm import tqdm

MEMORY = 1 << 30  # bytes, of one process
PIECES = 20


def part(job: tuple[str, int, int, int]) -> tuple[str, list[Outcome], int]:
    """Cases `first` to before `last` of one target; and the most memory that this process has had, in bytes."""
    name, seed, first, last = job
    with tempfile.TemporaryDirectory() as folder, faulty_server() as url:
        target = endpoint(url) if name == "endpoint" else TARGETS[name][0]
        found = []
        for number in range(first, last):
            place = Path(folder) / str(number)
            place.mkdir()
            found.append(tried(target, f"{name}:{seed}:{number}", place))
    return name, found, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def jobs(seed: int, share: float) -> list[tuple[str, int, int, int]]:
    """Every target in pieces, so that two cores have equally much to do."""
    counts = {name: round(n * share) for name, (_, n) in TARGETS.items()} | {"endpoint": round(ENDPOINT_CASES * share)}
    cuts = {name: [n * i // PIECES for i in range(PIECES + 1)] for name, n in counts.items()}
    return [(name, seed, a, b) for name, cut in cuts.items() for a, b in pairwise(cut) if b > a]


def main() -> int:
    """Run, print the report, and return the exit code."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--seed", type=int, default=0)
    given.add_argument("--share", type=float, default=1.0, help="of the cases of a full run")
    given.add_argument("--processes", type=int, default=2)
    options = given.parse_args()
    began, kinds, worst, bad = time.monotonic(), Counter[tuple[str, str]](), 0, []
    todo = jobs(options.seed, options.share)
    with get_context("spawn").Pool(options.processes) as pool:
        for name, found, memory in tqdm(pool.imap_unordered(part, todo), total=len(todo), unit="part"):
            kinds.update((name, outcome.kind) for outcome in found)
            bad += [outcome for outcome in found if outcome.kind not in ("fine", "refused")]
            worst = max(worst, memory)
    for outcome in bad[:50]:
        print(f"{outcome.kind} after {outcome.seconds:.1f} s: {outcome.told}\n")
    names = list(dict.fromkeys(name for name, _ in kinds))
    print("| target | tried | tracebacks | hangs | silent |\n|---|---:|---:|---:|---:|")
    for name in [*names, "all"]:
        of = Counter[str]()
        for (one, kind), n in kinds.items():
            of[kind] += n if name in (one, "all") else 0
        counts = [of.total(), *(of[kind] for kind in ("traceback", "hang", "silent"))]
        print(f"| {name} | {' | '.join(f'{n:,}' for n in counts)} |")
    print(f"\nmemory at most {worst / 2**20:,.0f} MB a process; {time.monotonic() - began:,.0f} s; seed {options.seed}")
    return int(bool(bad) or worst > MEMORY)


if __name__ == "__main__":
    sys.exit(main())
