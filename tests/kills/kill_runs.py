"""`make kills`: commands killed at random moments, on full disks and in read-only folders, and run again.

Nothing may be lost, doubled or left half-written: after the rerun every file has the bytes of an uninterrupted run, but
for what the clock says. Exit code 1 where it has not. `--verbs` and `--kills` make a shorter run.
"""

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

KILLS = {"build": 50, "score": 50, "evaluate": 50, "train": 20, "reproduce": 20}
_SMOKE = ("--base", "tiny", "--profile", "smoke")
COMMANDS: dict[str, list[str]] = {
    "build": ["data", "build", "open", "--n", "3000", "-o", "out/cases.parquet"],
    "score": ["score", "-m", "rules", "-i", "cases.parquet", "-o", "out/predictions.parquet"],
    "evaluate": ["evaluate", "-m", "rules", "--cases", "cases.parquet", "-o", "out"],
    "train": ["train", "v43", *_SMOKE, "-o", "out"],
    "reproduce": ["reproduce", "--series", "v43,v46", *_SMOKE, "--cases", "20", "-o", "out"],
}
_CLOCK = re.compile(  # what differs between two runs of one command because time has passed, or by a random name
    rb'"run": "[0-9a-f]{32}"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(\+00:00)?|\d{4}-\d\d-\d\d|"times": \{[^}]*\}'
)
_HELD = "another process is at work in it"
_APART = (".lock", ".svg", ".pt", ".pth", "trainer_state.json", "training_args.bin", "environment.json")


def esi(command: list[str], folder: Path, **environment: str) -> subprocess.Popen[bytes]:
    """Start a command in a folder, as a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "esi_triage.cli.main", *command],
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Its exit code, and what it said on standard error."""
    _, said = process.communicate()
    return process.returncode, said.decode(errors="replace")


def digests(folder: Path) -> dict[str, str]:
    """Every file of an output by the hash of its bytes, without the clock's."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(_CLOCK.sub(b"", file.read_bytes())).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and "checkpoints" not in file.parts and not file.name.endswith(_APART)
    }


def difference(one: dict[str, str], other: dict[str, str], scored: int = 1) -> str | None:
    """The first files that differ, in words; those that tell how often a set was scored, only where it was once."""
    left_out = () if scored <= 1 else ("metrics.json", "report.html", "report.md")
    wrong = [name for name in {*one, *other} if one.get(name) != other.get(name) and name not in left_out]
    return f"{len(wrong)} files differ: {', '.join(sorted(wrong)[:5])}" if wrong else None


def scorings(folder: Path) -> int:
    """How often the scoring log has the cases."""
    log = folder / "cases.parquet.scoring_log.jsonl"
    return len(log.read_text().splitlines()) if log.is_file() else 0


class Desk:
    """A folder with the inputs, made anew for every trial, and what an uninterrupted run of each verb leaves."""

    def __init__(self, root: Path) -> None:
        self.root, self.inputs, self.number = root, root / "inputs", 0
        self.inputs.mkdir(parents=True)
        code, said = ended(esi(["data", "build", "open", "--n", "300", "-o", "cases.parquet"], self.inputs))
        if code:
            raise RuntimeError(said)

    def fresh(self) -> Path:
        """An empty output beside the inputs."""
        self.number += 1
        place = self.root / f"trial-{self.number}"
        shutil.copytree(self.inputs, place)
        return place

    def uninterrupted(self, verb: str) -> tuple[dict[str, str], float]:
        """The digests of a run that nobody disturbed, and its seconds."""
        place, began = self.fresh(), time.monotonic()
        code, said = ended(esi(COMMANDS[verb], place))
        if code:
            raise RuntimeError(f"{verb}: {said}")
        return digests(place / "out"), time.monotonic() - began


def killed(desk: Desk, verb: str, expected: dict[str, str], seconds: float, rng: random.Random) -> str | None:
    """Kill once or twice at random moments, run to the end, and compare."""
    place = desk.fresh()
    finished = 0
    for _ in range(rng.choice([1, 1, 2])):
        noted = scorings(place)
        process = esi(COMMANDS[verb], place)
        time.sleep(rng.uniform(0.1, 1) * seconds)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        finished += scorings(place) > noted and not (place / "out" / ".scoring").exists()
    code, said = ended(esi(COMMANDS[verb], place))
    if code:
        return f"exit code {code}: {said[-300:]}"
    if verb == "evaluate" and scorings(place) != finished + 1:
        return f"scored {scorings(place)} times, {finished + 1} runs came to their end"
    found = difference(expected, digests(place / "out"), scorings(place))
    shutil.rmtree(place)
    return found


def two_at_once(desk: Desk, verb: str, expected: dict[str, str]) -> str | None:
    """Two runs of one command on one output; a training may refuse the second."""
    place = desk.fresh()
    runs = [esi(COMMANDS[verb], place), esi(COMMANDS[verb], place)]
    for code, said in map(ended, runs):
        if (code and not (code == 2 and _HELD in said)) or "Traceback" in said:
            return f"exit code {code}: {said[-300:]}"
    return difference(expected, digests(place / "out"), scorings(place))


def elsewhere(desk: Desk, verb: str, expected: dict[str, str]) -> str | None:
    """Other locales, hash seeds and time zones."""
    for locale, seed, zone in (("C", "1", "Asia/Tokyo"), ("tr_TR.UTF-8", "77", "America/St_Johns")):
        place = desk.fresh()
        code, said = ended(esi(COMMANDS[verb], place, LC_ALL=locale, PYTHONHASHSEED=seed, TZ=zone))
        found = f"exit code {code}: {said[-300:]}" if code else difference(expected, digests(place / "out"))
        if found:
            return f"{locale}: {found}"
    return None


def read_only(desk: Desk, verb: str, expected: dict[str, str]) -> str | None:
    """An output that cannot be written: a file where the folder should be, and a folder without rights."""
    for spoil in (_a_file, _no_rights):
        place = desk.fresh()
        spoil(place)
        code, said = ended(esi(COMMANDS[verb], place))
        (place / "out").chmod(0o755)
        if "Traceback" in said or (code not in (0, 2)):
            return f"{spoil.__name__}: exit code {code}: {said[-300:]}"
    return None


def _a_file(place: Path) -> None:
    (place / "out").write_text("in the way")


def _no_rights(place: Path) -> None:
    (place / "out").mkdir(mode=0o555)


def full_disk(desk: Desk, verb: str, expected: dict[str, str]) -> str | None:
    """A tmpfs that is full after some kilobytes; once there is room, the same command ends well. Needs root."""
    place = desk.fresh()
    (place / "out").mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", place / "out"], capture_output=True)
    if mounted.returncode:
        return None  # no right to mount: told in the report
    try:
        code, said = ended(esi(COMMANDS[verb], place))
        if code != 2 or "Traceback" in said:
            return f"exit code {code}: {said[-300:]}"
        subprocess.run(["mount", "-o", "remount,size=500m", place / "out"], check=True)
        code, said = ended(esi(COMMANDS[verb], place))
        return f"exit code {code}: {said[-300:]}" if code else difference(expected, digests(place / "out"))
    finally:
        subprocess.run(["umount", place / "out"], check=True)


SPECIAL: tuple[Callable[[Desk, str, dict[str, str]], str | None], ...] = (two_at_once, elsewhere, read_only, full_disk)


def main() -> int:
    """Run, print the report, and return the exit code."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--verbs", nargs="+", default=list(KILLS), choices=list(KILLS))
    given.add_argument("--kills", type=int, help="a verb, instead of the full number")
    given.add_argument("--seed", type=int, default=0)
    options = given.parse_args()
    rng, wrong = random.Random(options.seed), 0
    print("| verb | kills | wrong | two at once | elsewhere | read-only | full disk |\n|---|---:|---:|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="esi-kills-") as root:
        desk = Desk(Path(root))
        for verb in options.verbs:
            n = options.kills or KILLS[verb]
            expected, seconds = desk.uninterrupted(verb)
            found = [why for _ in range(n) if (why := killed(desk, verb, expected, seconds, rng))]
            special = [check(desk, verb, expected) for check in SPECIAL]
            wrong += len(found) + sum(why is not None for why in special)
            print(f"| {verb} | {n} | {len(found)} | {' | '.join(why or 'equal' for why in special)} |", flush=True)
            for why in found:
                print(f"    {why}", file=sys.stderr)
    return int(wrong > 0)


if __name__ == "__main__":
    print(json.dumps({"python": sys.version.split()[0], "cores": os.cpu_count()}))
    sys.exit(main())
