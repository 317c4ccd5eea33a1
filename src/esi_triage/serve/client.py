"""A small client of the service, for programs in Python."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx


class ServiceRefusedError(Exception):
    """The service refused or failed: the status, and the problem that it named."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status}: {problem.get('detail', 'no reason given')}")
        self.status, self.problem = status, problem


class ServiceClient:
    """Calls `esi serve` at `url`. A context manager; `token` where the service asks for one.

    Every method raises ServiceRefusedError where the service gives no answer, httpx.HTTPError where it is not reached.
    A 503 is not sent again by itself: whoever waits for advice must know that there is none yet.
    """

    def __init__(self, url: str = "http://127.0.0.1:8000", token: str | None = None, timeout: float = 30) -> None:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout)

    def __enter__(self) -> "ServiceClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def triage(
        self, narrative: str, vitals: Mapping[str, float] | None = None, previous: str | None = None
    ) -> dict[str, Any]:
        """Advice on one note; `vitals` by name (heart_rate, spo2, ...) in the units of the API."""
        asked = {"narrative": narrative, "vitals": dict(vitals) if vitals else None, "previous": previous}
        return self._sent("/v1/triage", {name: value for name, value in asked.items() if value is not None})

    def triage_all(self, narratives: Sequence[str]) -> list[dict[str, Any]]:
        """Advice on several notes, in order."""
        return self._sent("/v1/triage/batch", {"cases": [{"narrative": narrative} for narrative in narratives]})

    def decide(self, record: str, level: int, reason: str | None = None, comment: str | None = None) -> dict[str, Any]:
        """Record the level that a person chose after the advice `record`; a `reason` where it differs."""
        return self._sent("/v1/decisions", {"record": record, "level": level, "reason": reason, "comment": comment})

    def model(self) -> dict[str, Any]:
        """What is known of the model that answers."""
        return self._answer(self._http.get("/v1/model"))

    def log_head(self) -> dict[str, Any] | None:
        """The newest row of the decision log, or null in an empty one."""
        return self._answer(self._http.get("/v1/log/head"))["head"]

    def _sent(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._answer(self._http.post(path, json=body))

    def _answer(self, response: httpx.Response) -> Any:
        try:
            body = response.json()
        except ValueError:
            body = {"detail": "the answer is no JSON; is this `esi serve`?"}
        if not response.is_success:
            raise ServiceRefusedError(response.status_code, body)
        return body
