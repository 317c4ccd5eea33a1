"""`--ray` may stand alone or with an address, as the help says."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from esi_triage.cli import score as score_command
from esi_triage.cli.main import app


@pytest.mark.parametrize(
    ("given", "address"),
    [
        (["--ray"], "local"),
        (["--ray", "--workers", "2"], "local"),
        (["--ray", "ray://head:10001", "--parts", "2"], "ray://head:10001"),
        (["--ray=auto"], "auto"),
        (["--workers", "2"], None),
    ],
)
def test_ray_with_and_without_an_address(
    given: list[str], address: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(score_command, "_in_parts", lambda *arguments, **_: asked.append(arguments[-1]))
    command = ["score", "-m", "rules", "-i", str(tmp_path / "in.jsonl"), "-o", str(tmp_path / "out.jsonl"), *given]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert asked == [address]
