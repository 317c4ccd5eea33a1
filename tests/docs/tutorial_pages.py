"""The commands that a tutorial shows: read from its page, run in a folder of their own, held against the shown output.

A ```console fence holds lines `$ COMMAND` (a trailing backslash continues one), each followed by what it prints; a line
`…` stands for any lines. A fence with a title that is a file name is that file. A fence whose title begins with
"not run" is not run. After a change to what commands print:

    python tests/docs/tutorial_pages.py
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
_FENCE = re.compile(r'^```(\w+)(?: title="([^"]*)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
_STEP = re.compile(r"^\$ (.*(?<!\\)(?:\\\n.*(?<!\\))*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


class Step(NamedTuple):
    """A command with the output that its page shows."""

    command: str
    shown: str


class WrittenFile(NamedTuple):
    """A file that the reader is asked to write."""

    name: str
    text: str


def steps(page: str) -> Iterator[Step | WrittenFile]:
    """What the reader of `page` does, in order."""
    for language, title, body in _FENCE.findall(page):
        if language == "console" and not title.startswith("not run"):
            yield from (Step(*found) for found in _STEP.findall(body))
        elif re.fullmatch(r"[\w-]+\.\w+", title):
            yield WrittenFile(title, body)


def printed(command: str, folder: Path) -> str:
    """What `command` prints in `folder`; a RuntimeError where it fails."""
    if not (folder / ".bin").is_dir():  # written once: what an earlier command started may be reading its script still
        (folder / ".bin").mkdir()
        for name, call in (("esi", "-m esi_triage"), ("python", "")):
            script = folder / ".bin" / name
            script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {call} "$@"\n', encoding="utf-8")
            script.chmod(0o755)
    environment = os.environ | {"PATH": f"{folder / '.bin'}:{os.environ['PATH']}", "COLUMNS": "100"}
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command}\nexit code {done.returncode}\n{done.stdout}{done.stderr}")
    return _trimmed(done.stdout)


def stop(folder: Path) -> None:
    """End what a page has started and not ended: whatever a file *.pid in `folder` names."""
    for file in folder.glob("*.pid"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(file.read_text(encoding="utf-8")), signal.SIGTERM)


def fits(shown: str, output: str) -> bool:
    """Whether `output` is what `shown` says, its lines `…` standing for any lines."""
    parts = [re.escape(part) for part in re.split(r"^…\n", _trimmed(shown), flags=re.MULTILINE)]
    return re.fullmatch("(?:.*\n)*".join(parts), output) is not None


def _trimmed(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.strip("\n").splitlines())


def rewrite(file: Path) -> None:
    """Put what each command prints under it, where the page shows something else."""
    page = file.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        try:
            for step in list(steps(page)):
                if isinstance(step, WrittenFile):
                    (Path(folder) / step.name).write_text(step.text, encoding="utf-8")
                elif not fits(step.shown, output := printed(step.command, Path(folder))):
                    print(f"{file.name}: {step.command}")
                    page = page.replace(f"$ {step.command}\n{step.shown}", f"$ {step.command}\n{output}", 1)
        finally:
            stop(Path(folder))
    file.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    for asked in [Path(name) for name in sys.argv[1:]] or PAGES:
        rewrite(asked)
