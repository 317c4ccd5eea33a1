"""A log, a service that answers by rule of thumb, and a client of it."""

import pytest
from cds_client import MadeService
from cds_requests import SANDBOX, client_of

from esi_triage.serve.cds_hooks import CdsSettings
from esi_triage.serve.decision_log import open_log


@pytest.fixture
def log(tmp_path):
    opened = open_log(tmp_path / "decisions.db", keep_text=True)
    yield opened
    opened.close()


@pytest.fixture
def service(log):
    return MadeService(log)


@pytest.fixture
def client(service):
    return client_of(service, CdsSettings(origins=[SANDBOX]))
