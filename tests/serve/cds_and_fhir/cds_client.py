"""A CDS Hooks client that behaves like the public sandbox, and a service that answers by rule of thumb.

After cds-hooks/sandbox: it fills in patientId and userId only, fetches each template by itself, leaves out what failed,
sends no encounterId, and on "Dismiss" a Coding without display.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from esi_triage.esi import Step
from esi_triage.serve.advice import Advice, ModelIdentity
from esi_triage.serve.decision_log import DecisionLog
from esi_triage.serve.service_metrics import ServiceMetrics

MADE = Advice(
    level=2,
    likeliest=2,
    set=(2, 3),
    probabilities=(0.02, 0.71, 0.2, 0.05, 0.02),
    hand_over=(),
    steps=(),
    missing=("spo2",),
    rules_level=2,
    possible=(2, 3),
    warnings=(),
    text="",
    model=ModelIdentity("rules", "0"),
)


@dataclass
class MadeService:
    """Answers ESI 2 to everything; `fails` is raised in place of an answer, `level` and `more` change it."""

    log: DecisionLog
    level: int | None = 2
    fails: Exception | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, Mapping[str, float] | None]] = field(default_factory=list)
    metrics: ServiceMetrics = field(default_factory=ServiceMetrics)

    async def advise(
        self,
        narrative: str,
        vitals: Mapping[str, float] | None,
        source: str,
        request_id: str | None,
        previous: str | None = None,
        actor: str | None = None,
    ) -> Advice:
        if self.fails:
            raise self.fails
        self.asked.append((narrative, vitals))
        row = self.log.append("advice", {"level": self.level, "source": source, "request": request_id, "actor": actor})
        steps = (Step("A", "no", f"read in: {narrative}"),)
        return replace(MADE, **{"level": self.level, "record": row.id, "steps": steps, **self.more})


class Sandbox:
    """`ehr` maps a FHIR search or read to what the server gives; `post` and `get` call the service under test."""

    def __init__(
        self, get: Callable[..., Any], post: Callable[..., Any], ehr: Mapping[str, Any], headers: Mapping[str, str]
    ) -> None:
        self.get, self.post, self.ehr, self.headers = get, post, ehr, dict(headers)

    def services(self, hook: str) -> list[Mapping[str, Any]]:
        return [
            one for one in self.get("/cds-services", headers=self.headers).json()["services"] if one["hook"] == hook
        ]

    def call(self, service: Mapping[str, Any], patient: str, **context: Any) -> Any:
        values = {"patientId": patient, "userId": "Practitioner/COREPRACTITIONER1", **context}
        fetched = {}
        for key, template in service["prefetch"].items():
            filled = template
            for name, value in values.items():
                filled = filled.replace(f"{{{{context.{name}}}}}", str(value))
            if "{{" not in filled and filled in self.ehr:
                fetched[key] = self.ehr[filled]
        request = {
            "hookInstance": "23f1a303-991f-4118-86c5-11d99a39222e",
            "hook": service["hook"],
            "fhirServer": "https://launch.smarthealthit.org/v/r2/fhir",
            "context": values,
        }
        if fetched:
            request["prefetch"] = fetched
        return self.post(f"/cds-services/{service['id']}", json=request, headers=self.headers)

    def dismiss(self, service: Mapping[str, Any], card: Mapping[str, Any]) -> Any:
        code = card["overrideReasons"][0]["code"]
        override = {"reason": {"code": code, "system": card["overrideReasons"][0]["system"]}}
        return self._feedback(service, {"card": card["uuid"], "outcome": "overridden", "overrideReason": override})

    def take(self, service: Mapping[str, Any], card: Mapping[str, Any], label: str) -> Any:
        taken = next(one for one in card["suggestions"] if one["label"] == label)
        accepted = {"card": card["uuid"], "outcome": "accepted", "acceptedSuggestions": [{"id": taken["uuid"]}]}
        return self._feedback(service, accepted)

    def _feedback(self, service: Mapping[str, Any], item: dict[str, Any]) -> Any:
        sent = {"feedback": [item | {"outcomeTimestamp": "2026-03-02T08:31:00Z"}]}
        return self.post(f"/cds-services/{service['id']}/feedback", json=sent, headers=self.headers)
