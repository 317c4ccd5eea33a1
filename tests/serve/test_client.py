"""The Python client against a real server, and the command's refusals."""

from pathlib import Path

import pytest
from served import CHEST_PAIN, serving
from typer.testing import CliRunner

from esi_triage.cli.main import app
from esi_triage.errors import InputError
from esi_triage.serve.client import ServiceClient, ServiceRefusedError
from esi_triage.serve.settings import default_settings_text


def test_the_client_does_what_the_interface_offers(tmp_path: Path) -> None:
    with serving(tmp_path) as served, ServiceClient(served.url) as client:
        advice = client.triage(CHEST_PAIN, {"temperature_c": 36.8})
        assert advice["level"] == 2
        assert [one["level"] for one in client.triage_all([CHEST_PAIN, CHEST_PAIN])] == [2, 2]
        decision = client.decide(advice["record"], 3, "sicker")
        head = client.log_head()
        assert head is not None
        assert head["id"] == decision["id"]
        assert len(client.model()["attributes"]) == 31
        with pytest.raises(ServiceRefusedError, match="narrative") as refused:
            client.triage(" ")
        assert refused.value.status == 422


def test_the_command_prints_its_settings_and_refuses_with_a_fix() -> None:
    printed = CliRunner().invoke(app, ["serve", "--print-settings"])
    assert printed.stdout == default_settings_text()
    changed = CliRunner().invoke(app, ["serve", "--print-settings", "--port", "9000"])
    assert "port = 9000" in changed.stdout
    refused = CliRunner().invoke(app, ["serve", "--host", "0.0.0.0"])
    assert isinstance(refused.exception, InputError)
    assert "token" in str(refused.exception)
