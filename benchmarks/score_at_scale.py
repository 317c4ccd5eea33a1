"""Batch scoring at scale: parts and workers against one process (same bytes?), with workers killed meanwhile.

    python benchmarks/score_at_scale.py [--model rules] [--rows 10000] [--parts 16] [--workers 2] [--kills 3] [--ray]

Narratives of the open corpus, repeated with ids of their own, scored by the rules, or by another model: constant:3
shows what reading, writing and merging take. Prints seconds, peak memory of the process that merges, and whether the
outputs are equal.
"""

import argparse
import json
import random
import resource
import tempfile
import threading
import time
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import psutil

from esi_triage.data.corpus.vignettes import open_cases
from esi_triage.predict.load import find_model
from esi_triage.predict.parts.score_parts import score_parts
from esi_triage.predict.score_file import score_file


def write_rows(file: Path, rows: int) -> None:
    notes = [case.narrative for case in open_cases(500)]
    with file.open("w", encoding="utf-8") as stream:
        for i, note in enumerate(islice(cycle(notes), rows)):
            stream.write(json.dumps({"case_id": f"c{i}", "narrative": note, "licence": "open"}) + "\n")


def kill_some(kills: int, killed: list[int], seed: int = 0) -> None:
    """Kill a random worker of this process now and then, so many times; `killed` gets their process ids."""
    moments, me = random.Random(seed), psutil.Process()
    while kills:
        time.sleep(moments.uniform(0.5, 3))
        alive = [each for each in me.children() if each.status() != psutil.STATUS_ZOMBIE]
        try:
            worker = moments.choice([each for each in alive if "spawn_main" in " ".join(each.cmdline())])
            worker.kill()
        except (IndexError, psutil.Error):  # none is there, or it has just ended
            continue
        killed.append(worker.pid)
        kills -= 1


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    for name, default in (("rows", 10_000), ("parts", 16), ("workers", 2), ("kills", 0)):
        options.add_argument(f"--{name}", type=int, default=default)
    options.add_argument("--model", default="rules")
    options.add_argument("--ray", action="store_true")
    given, where = options.parse_args(), Path(tempfile.mkdtemp())
    write_rows(where / "in.jsonl", given.rows)
    load = partial(find_model, given.model)
    began = time.monotonic()
    score_file(load(), where / "in.jsonl", where / "whole.jsonl")
    alone = time.monotonic() - began
    killed: list[int] = []
    if given.kills:
        threading.Thread(target=kill_some, args=(given.kills, killed), daemon=True).start()
    began = time.monotonic()
    ray = "local" if given.ray else None
    score_parts(load, where / "in.jsonl", where / "out.jsonl", given.parts, given.workers, ray)
    shared = time.monotonic() - began
    same = (where / "out.jsonl").read_bytes() == (where / "whole.jsonl").read_bytes()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{given.rows} rows: one process {alone:.1f} s, {given.workers} workers {shared:.1f} s ({alone / shared:.2f}x)"
    )
    print(f"workers killed: {len(killed)}; same bytes: {same}")
    print(f"peak memory of this process, which holds all rows for the one way: {memory:.0f} MB")


if __name__ == "__main__":
    main()
