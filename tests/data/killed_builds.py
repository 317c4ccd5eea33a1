"""Builds that kill themselves, in processes forked from one that has imported everything: a start costs nothing."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from esi_triage.data.build import build_mimic
from esi_triage.data.mimic_iv_ed import mimic_cases
from esi_triage.esi import assess

assess("Chest pain. BP 120/80.")  # loads the rules, once for all that are forked


def killed_build(folder: Path, output: Path, seed: int, what: str = "never", nth: int = 0) -> int | None:
    """The exit code of a build of cases.parquet in `output` that is killed at the `nth` event of the kind `what`.

    `before` or `after` a file is given its name, or `writing`: when a part of the table has been written.
    """
    here = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(here))  # the server finds this module by it, once
    forked = multiprocessing.get_context("forkserver")
    forked.set_forkserver_preload([__name__])
    process = forked.Process(target=_build, args=(folder, output / "cases.parquet", seed, what, nth))
    process.start()
    process.join()
    return process.exitcode


def _build(folder: Path, output: Path, seed: int, what: str, nth: int) -> None:
    left = nth

    def count(kind: str) -> None:
        nonlocal left
        if kind == what:
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    plain, tables = Path.replace, mimic_cases.case_tables

    def replace(self: Path, target: Path) -> None:
        count("before")
        plain(self, target)
        count("after")

    def writing(*arguments: Any) -> Iterator[Any]:
        for table in tables(*arguments):
            yield table
            count("writing")

    setattr(Path, "replace", replace)  # noqa: B010
    setattr(mimic_cases, "case_tables", writing)  # noqa: B010
    build_mimic(folder, output, seed)
