"""CDS Hooks 2.0: advice as cards inside a hospital system (docs/cds-hooks-and-fhir.md)."""

from .client_tokens import CdsClient, CdsSettings
from .endpoints import PREFIX, router

__all__ = ["PREFIX", "CdsClient", "CdsSettings", "router"]
