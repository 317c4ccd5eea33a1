"""A real server on a random loopback port, in a thread of the test's own process."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from esi_triage.predict import Model
from esi_triage.predict.rules_model import rules_model
from esi_triage.serve.app import make_app
from esi_triage.serve.decision_log import open_log
from esi_triage.serve.service import Service
from esi_triage.serve.settings import load_settings

CHEST_PAIN = "54 y/o M, chest pain radiating to the left arm, sweating. BP 150/90, HR 104, RR 18, SpO2 96 %"


@dataclass(frozen=True)
class Served:
    """A running service, where it is, and a client that calls it."""

    service: Service
    url: str
    client: httpx.Client

    def triage(self, narrative: str, **more: Any) -> httpx.Response:
        return self.client.post("/v1/triage", json={"narrative": narrative, **more})


@contextmanager
def serving(folder: Path, answering: Model | None = None, **sections: dict[str, Any]) -> Iterator[Served]:
    """Serve `answering` (the rules) with the settings `sections`, the log in `folder`."""
    settings = load_settings(
        options={**sections, "log": {"file": str(folder / "log.sqlite"), **sections.get("log", {})}}
    )
    log = open_log(Path(settings.log.file), settings.log.retention_days, settings.log.keep_text)
    service = Service(settings, answering or rules_model(), log)
    asyncio.run(service.warm())
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(make_app(service), log_level="error", timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the server did not start")
            time.sleep(0.01)
        with httpx.Client(base_url=url, timeout=60) as client:
            yield Served(service, url, client)
    finally:
        server.should_exit = True
        thread.join(30)
