"""The command as `esi` runs it, in this process: starting Python anew for each call would take seconds."""

import io
import sys
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from esi_triage.cli.main import main

Run = Callable[..., CompletedProcess[str]]


def run_esi(*arguments: str | Path, stdin: str = "", cwd: Path | None = None) -> CompletedProcess[str]:
    """What subprocess.run would give for `esi`."""
    command = ["esi", *map(str, arguments)]
    out, err, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patched, chdir(cwd or Path.cwd()):
        patched.setattr(sys, "argv", command)
        patched.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        with redirect_stdout(out), redirect_stderr(err):
            try:
                main()
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 0
    return CompletedProcess(command, code, out.getvalue(), err.getvalue())
