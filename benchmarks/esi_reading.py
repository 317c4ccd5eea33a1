"""How fast the ESI engine reads: narratives a second on one core, start-up, and the time of each stage.

    python benchmarks/esi_reading.py [--narratives 1000]

The narratives come from the open corpus, joined and cut to 80 words, which is long for a triage note. Goals: at least
300 narratives a second and a start-up under 3 s.
"""

import argparse
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

WORDS = 80


def narratives(n: int) -> list[str]:
    """`n` different texts of 80 words: cases of the open corpus one after another, cut."""
    from esi_triage.data.corpus.vignettes import open_cases

    words = (word for case in open_cases(4 * n, seed=7) for word in case.narrative.split())
    return [" ".join(text) for text in _chunks(words, WORDS)][:n]


def _chunks(words: Iterable[str], size: int) -> Iterator[list[str]]:
    chunk: list[str] = []
    for word in words:
        chunk.append(word)
        if len(chunk) == size:
            yield chunk
            chunk = []


def start_up() -> tuple[float, float]:
    """Seconds to import the room, and to read for the first time (which builds the language pipeline)."""
    started = time.process_time()
    from esi_triage.esi import read

    imported = time.process_time()
    read("54 y/o M with chest pain. BP 150/90.")
    return imported - started, time.process_time() - imported


def milliseconds(stage: Callable[[Any], Any], inputs: list[Any]) -> float:
    """Mean CPU time of one call, in ms: other work on the machine does not count."""
    started = time.process_time()
    for each in inputs:
        stage(each)
    return 1000 * (time.process_time() - started) / len(inputs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--narratives", type=int, default=1000, metavar="N")
    n = parser.parse_args().narratives
    imported, first = start_up()

    from esi_triage.esi import decide, read
    from esi_triage.esi.read.measures import read_measures
    from esi_triage.esi.read.mentions import find_mentions
    from esi_triage.esi.read.person import read_age_months
    from esi_triage.esi.read.tokens import tokens_of

    texts = narratives(n)
    findings = [read(text) for text in texts]
    stages = {
        "numbers (vital signs, age)": milliseconds(lambda text: (read_measures(text), read_age_months(text)), texts),
        "words and their context": milliseconds(lambda text: find_mentions(tokens_of(text)), texts),
        "read, all of it": milliseconds(read, texts),
        "decide": milliseconds(decide, findings),
    }
    each = stages["read, all of it"] + stages["decide"]
    print(f"start-up: import {imported:.2f} s, first read {first:.2f} s")
    print(f"{n} narratives of {WORDS} words, one core: {1000 / each:.0f} a second")
    for stage, ms in stages.items():
        print(f"  {stage:<28} {ms:6.2f} ms")


if __name__ == "__main__":
    main()
