"""`make fuzz-odd`: every verb with odd options, odd files, odd places and odd surroundings; a report at the end.

Each case is a process of its own, forked from one that has everything loaded, in a folder of its own. Exit code 1 where
a command ends in a traceback, hangs, changes an input, leaves a file half-written, or writes what no reader takes.
"""

import argparse
import contextlib
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import odd_files
import typer
from odd_endings import digest_of, run, wrong
from odd_verbs import COMMANDS, RUNS_LONG, made_inputs
from runner import HANG

from esi_triage.cli import main as cli

SOME = 4  # seconds for a verb that runs long


class Found(NamedTuple):
    """What one case came to: `kind` is fine, refused, or what is wrong."""

    case: str
    kind: str
    told: str = ""


def options_of(words: list[str]) -> list[str]:
    """The long options of the verb that `words` begin with."""
    command: Any = typer.main.get_command(cli.app)
    for word in words:
        inner = command.get_command(None, word) if hasattr(command, "get_command") else None
        if inner is None:
            break
        command = inner
    return [
        option for given in command.params for option in given.opts if option.startswith("--") and option != "--help"
    ]


def odd_options(rng: Random, verb: str, folder: Path) -> list[str]:
    """One or two options with odd values, or an odd argument."""
    argv = list(COMMANDS[verb])
    for _ in range(rng.choice([1, 1, 2])):
        value = rng.choice([*odd_files.NUMBERS, *odd_files.TEXTS])
        kind = rng.randrange(5)
        if kind == 0:
            places = [i for i in range(1, len(argv)) if not argv[i].startswith("-")]
            argv[rng.choice(places or [0])] = value
        else:
            argv += [rng.choice(options_of(argv) or ["--help"]), *([value] if kind < 4 else [])]
    return [os.fsdecode(word.encode("utf-8", "surrogateescape").replace(b"\0", b"")) for word in argv]


def odd_content(rng: Random, verb: str, folder: Path) -> list[str]:
    """One of the files that the command reads, changed."""
    files = [folder / word for word in COMMANDS[verb] if (folder / word).is_file() and word not in ("rules",)]
    files += [
        file
        for place in ("run", "mimic", "fitted")
        if place in " ".join(COMMANDS[verb])
        for file in (folder / place).rglob("*")
        if file.is_file()
    ]
    if not files:
        return odd_options(rng, verb, folder)
    change(rng, rng.choice(files))
    return COMMANDS[verb]


def change(rng: Random, file: Path) -> None:
    """Make the file odd, in the way of its kind."""
    makers = {
        ".jsonl": odd_files.lines,
        ".json": odd_files.json_file,
        ".toml": odd_files.toml,
        ".csv": odd_files.table_text,
        ".gz": None,
    }
    data = file.read_bytes()
    if file.suffix == ".parquet":
        odd_files.parquet(rng, file)
    elif file.suffix == ".gz":
        file.write_bytes(odd_files.gzipped(rng, odd_files.table_text(rng, (file.with_suffix("")).read_bytes())))
    elif file.suffix in makers and rng.randrange(6):
        file.write_bytes(makers[file.suffix](rng, data))
    else:
        file.write_bytes(odd_files.broken.damaged(rng, data))


def odd_places(rng: Random, verb: str, folder: Path) -> list[str]:
    """An input or output that is a folder, a pipe, a device or a link, or that is one file with another."""
    argv = list(COMMANDS[verb])
    names = [i for i, word in enumerate(argv) if (folder / word).exists() or word.startswith("out")]
    if not names:
        return odd_options(rng, verb, folder)
    place = rng.choice(names)
    kind = rng.randrange(5)
    if kind == 0 and len(names) > 1:
        argv[place] = argv[rng.choice(names)]
    elif kind == 1:
        argv[place] = rng.choice(
            ["/dev/null", "/dev/full", "/proc/self/mem", "/proc/x", "a" * 300, "no/such/place.jsonl", "/"]
        ) + rng.choice(["", Path(argv[place]).suffix])
    else:
        odd_files.odd_place(rng, folder / argv[place])
    return argv


def odd_surroundings(rng: Random, verb: str, folder: Path) -> tuple[list[str], Callable[[], None]]:
    """The usual command with odd variables, without streams, in a folder that is gone, with little room."""
    values = {
        "LANG": ["C", "xx_YY", "tr_TR.UTF-8", ""],
        "TZ": ["", ":", "Nowhere/At_All", "UTC-99", "\udcff"],
        "HOME": ["", "/nowhere", "/dev/null", "relative"],
        "ESI_CACHE": ["/dev/null", "/proc/x", str(folder / "cases.jsonl"), ""],
        "XDG_CACHE_HOME": ["/dev/null", ""],
        "MPLCONFIGDIR": ["/proc/x"],
        "TMPDIR": ["/nowhere", "/dev/null"],
        "COLUMNS": ["0", "-1", "x", "1", "100000"],
        "NO_COLOR": ["1"],
        "OMP_NUM_THREADS": ["x", "0", "-5"],
        "ESI_SERVE_TOKEN": ["", "x", "\udcff" * 20],
        "HTTP_PROXY": ["http://[", "x"],
        "SOURCE_DATE_EPOCH": ["x", "-1"],
    }

    def around() -> None:
        for name in rng.sample([*values], 3):
            os.environ[name] = rng.choice(values[name])
        time.tzset()
        kind = rng.randrange(10)
        if kind == 0:
            os.close(0)
        elif kind == 1:
            os.dup2(os.open("/dev/full", os.O_WRONLY), 1)
        elif kind == 2:
            reading, writing = os.pipe()
            os.dup2(writing, 1)
            os.close(reading)
        elif kind == 3:
            os.close(1)
        elif kind == 4:
            Path("gone").mkdir()
            os.chdir("gone")
            Path("../gone").rmdir()
        elif kind == 5:
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        elif kind == 6:
            resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
        elif kind == 7:
            os.umask(0o777)

    return COMMANDS[verb], around


FAMILIES = ("options", "content", "places", "surroundings")


def case(seed: int, number: int, verbs: list[str], families: list[str], inputs: Path, root: Path) -> Found:
    """Case `number`, of which the seed says all."""
    rng = Random(f"{seed}:{number}")
    verb, family = verbs[number % len(verbs)], rng.choice(families)
    place = root / f"case-{number}"
    folder = place / "desk"
    shutil.copytree(inputs, folder)
    around: Callable[[], None] = lambda: None  # noqa: E731
    if family == "surroundings":
        argv, around = odd_surroundings(rng, verb, folder)
    else:
        argv = {"options": odd_options, "content": odd_content, "places": odd_places}[family](rng, verb, folder)
    before = {str(file.relative_to(folder)): digest_of(file) for file in folder.rglob("*")}
    began = time.monotonic()
    status, memory = run(argv, folder, around, SOME if verb in RUNS_LONG else HANG)
    told = (
        f"{verb} ({family}), case {number}, {time.monotonic() - began:.0f} s: {' '.join(word[:60] for word in argv)!r}"
    )
    found = wrong(COMMANDS[verb], verb in RUNS_LONG, status, memory, folder, before)
    kind = "refused" if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 2 else "fine"
    err = (place / "err.txt").read_bytes().decode(errors="replace")
    if not found or not os.environ.get("KEEP"):
        shutil.rmtree(place)
    return Found(told, "wrong", found) if found else Found(told, kind, err[-200:])


def preload() -> None:
    """Everything that the verbs load, once."""
    import importlib
    import pkgutil

    import esi_triage
    from esi_triage.serve import serving

    for module in pkgutil.walk_packages(esi_triage.__path__, "esi_triage."):
        if not module.name.startswith(("esi_triage.train.", "esi_triage.evaluate.adapters", "esi_triage.__main__")):
            with contextlib.suppress(Exception):
                importlib.import_module(module.name)
    from esi_triage.data.corpus.vignettes import open_cases
    from esi_triage.esi import read

    read("chest pain")
    list(open_cases(1))  # what every command would otherwise build for itself
    serving.uvicorn.Server.run = lambda *_, **__: None  # settings, model and log are read; nothing listens


def tried(options: argparse.Namespace, root: Path) -> Iterator[Found]:
    verbs = options.verbs or [*COMMANDS]
    for number in range(options.first, options.first + options.cases):
        yield case(options.seed, number, verbs, options.families, root / "inputs", root)


def main() -> int:
    """Run, print the report, and return the exit code."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--seed", type=int, default=0)
    given.add_argument("--cases", type=int, default=2500)
    given.add_argument("--first", type=int, default=0)
    given.add_argument("--verbs", nargs="+", choices=[*COMMANDS])
    given.add_argument("--families", nargs="+", default=list(FAMILIES), choices=FAMILIES)
    given.add_argument("--told", action="store_true", help="print every case")
    options = given.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    preload()
    kinds = Counter[str]()
    root = Path(tempfile.mkdtemp(prefix="esi-odd-"))
    made_inputs(root / "inputs")
    for found in tried(options, root):
        kinds[found.kind] += 1
        if found.kind == "wrong" or options.told:
            print(f"{found.kind}: {found.case}\n    {found.told}", flush=True)
    print(dict(kinds), f"seed {options.seed}")
    return int(kinds["wrong"] > 0)


if __name__ == "__main__":
    sys.exit(main())
