"""The whole service on a disk that is full, and on one that is read-only: no advice leaves, and the answer says why."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from served import CHEST_PAIN, serving

from esi_triage.serve.decision_log import rows_of, verify_log


def mounted(folder: Path, *options: str) -> bool:
    return subprocess.run(["mount", *options, str(folder)], capture_output=True, check=False).returncode == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or not mounted(folder, "-t", "tmpfs", "-o", "size=400k", "tmpfs"):
        pytest.skip("a full or read-only disk needs the right to mount one")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_on_a_full_disk_no_advice_leaves(disk: Path) -> None:
    acknowledged = []
    with serving(disk) as served:
        while (answer := served.triage(CHEST_PAIN)).status_code == 200:
            acknowledged.append(answer.json()["record"])
        assert answer.status_code == served.client.get("/readyz").status_code == 503
        assert "log cannot be written" in answer.json()["detail"]
        assert "level" not in answer.json()
        assert mounted(disk, "-o", "remount,size=10m")
        assert served.triage(CHEST_PAIN).status_code == 200  # there is room again, and nobody had to restart it
    assert acknowledged
    assert {*acknowledged} <= {row.id for row in rows_of(disk / "log.sqlite")}
    assert verify_log(disk / "log.sqlite").problem is None


def test_a_read_only_disk_is_said_at_the_start(disk: Path) -> None:
    assert mounted(disk, "-o", "remount,ro")
    log = disk / "log.sqlite"
    command = [
        sys.executable,
        "-m",
        "esi_triage.cli.main",
        "serve",
        "--port",
        "0",
        "--model",
        "rules",
        "--log",
        str(log),
    ]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert "cannot be written" in found.stderr
    assert "Traceback" not in found.stderr
