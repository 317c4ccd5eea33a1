"""One finished smoke run of v43, shared by the tests that need a warm start."""

from pathlib import Path

import pytest

from esi_triage.train.experiment import load_experiment


@pytest.fixture(scope="session")
def v43(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of v43 at smoke size, on the smoke build of the tiny base."""
    from esi_triage.train.launch import start

    return start(load_experiment("v43", "tiny", "smoke"), tmp_path_factory.mktemp("runs") / "v43").folder
