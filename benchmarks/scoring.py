"""The scoring path: completions parsed and scored per second on one core, beside the regular expressions alone.

    python benchmarks/scoring.py [--seconds 3]

The reference is the floor: the two patterns of the seed's parser and nothing else.
"""

import argparse
import random
import re
import time
from collections.abc import Callable

from esi_triage.answer import parse
from esi_triage.data.corpus.vignettes import open_cases
from esi_triage.data.targets import reference_answer
from esi_triage.reward import load_design, score


def completions(n: int) -> list[tuple[str, int]]:
    """Answers as a policy in training writes them: most whole, some cut off, some silent, some thinking first."""
    rng = random.Random(0)
    found = []
    for case in open_cases(n):
        text = reference_answer(case)
        kind = rng.random()
        if kind < 0.1:
            text = text[: rng.randrange(len(text))]
        elif kind < 0.15:
            text = "<think>Is this ESI 2 or ESI 3?</think>\n" + text
        elif kind < 0.2:
            text = text.replace("ANSWER", "In short")
        found.append((text, case.gold or 3))
    return found


def rate(work: Callable[[str, int], object], rows: list[tuple[str, int]], seconds: float) -> float:
    """Rows per second, the best of as many passes as fit in `seconds`."""
    best, until = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < until:
        started = time.perf_counter()
        for text, gold in rows:
            work(text, gold)
        best = min(best, time.perf_counter() - started)
    return len(rows) / best


def main() -> None:
    """Print the rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="time for each measurement")
    seconds = parser.parse_args().seconds
    rows = completions(5000)
    design = load_design("v46")
    first, second = re.compile(r"ANSWER:\s*ESI\s*([1-5])"), re.compile(r"ESI\s+([1-5])\b")
    floor = rate(lambda text, _: first.search(text) or second.search(text), rows, seconds)
    parsed = rate(lambda text, _: parse(text), rows, seconds)
    scored = rate(lambda text, gold: score(parse(text), gold, design, 120), rows, seconds)
    length = sum(len(text) for text, _ in rows) / len(rows)
    print(f"completions of {length:.0f} characters on average, one core")
    print(f"  the seed's two patterns alone  {floor:>9,.0f} /s")
    print(f"  parse                          {parsed:>9,.0f} /s")
    print(f"  parse and score (v46)          {scored:>9,.0f} /s")


if __name__ == "__main__":
    main()
