"""FHIR R4: read a visit, write a level, export the log (docs/cds-hooks-and-fhir.md)."""

from .level_observation import ESI_CODE, LEVEL_ANSWERS, level_observation
from .log_exports import audit_event, log_exports, provenance
from .resources import is_cut, resources_in
from .visit import NoComplaintError, Visit, is_emergency, read_visit

__all__ = [
    "ESI_CODE",
    "LEVEL_ANSWERS",
    "NoComplaintError",
    "Visit",
    "audit_event",
    "is_cut",
    "is_emergency",
    "level_observation",
    "log_exports",
    "provenance",
    "read_visit",
    "resources_in",
]
