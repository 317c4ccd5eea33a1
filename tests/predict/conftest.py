"""The stub endpoint, running, and a model behind it."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from stub_endpoint import Stub

from esi_triage.chat_endpoint import find_endpoint
from esi_triage.predict.endpoint_model import endpoint_model
from esi_triage.predict.model import Model


@pytest.fixture
def stub() -> Iterator[Stub]:
    server = Stub()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def at(stub: Stub) -> Callable[..., Model]:
    """The stub as a model that has little patience."""

    def make(agreement: str | None = None, **settings: Any) -> Model:
        return endpoint_model(
            find_endpoint(stub.url, "stub", **{"patience": 0.001, "timeout": 5, **settings}), agreement
        )

    return make
