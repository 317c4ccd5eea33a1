"""FHIR as it comes: Bundles, prefetch values, references, codes. Tolerant of what is not needed."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"

Resource = Mapping[str, Any]


def resources_in(value: Any) -> Iterator[Resource]:
    """Every resource of a resource, a Bundle (searchset, collection, transaction) or nothing at all."""
    if not isinstance(value, Mapping):
        return
    if value.get("resourceType") != "Bundle":
        yield value
        return
    for entry in objects(value.get("entry")):
        yield from resources_in(entry.get("resource"))


def is_cut(value: Any) -> bool:
    """Whether a Bundle is only the first page of what its server has."""
    links = objects(value.get("link")) if isinstance(value, Mapping) else ()
    return any(link.get("relation") == "next" for link in links)


def objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list, or of a single one that stands where a list belongs (DSTU2, and some servers)."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, Mapping)]


def codes_in(concept: Any, system: str) -> set[str]:
    """The codes of `system` among the codings of CodeableConcepts."""
    codings = [coding for one in objects(concept) for coding in objects(one.get("coding"))]
    return {str(coding.get("code")) for coding in codings if coding.get("system") == system}


def text_in(concept: Any) -> str | None:
    """What a CodeableConcept says: its text, else the display of a coding."""
    for one in objects(concept):
        for said in (one.get("text"), *(coding.get("display") for coding in objects(one.get("coding")))):
            if isinstance(said, str) and said.strip():
                return " ".join(said.split())
    return None


def refers_to(reference: Any, id: str) -> bool:
    """Whether a Reference names the resource of that id, be it relative, absolute, versioned or a urn:uuid."""
    named = reference.get("reference") if isinstance(reference, Mapping) else None
    if not isinstance(named, str):
        return False
    return named.split("/_history/")[0].replace("urn:uuid:", "/").split("/")[-1] == id


def day(value: Any) -> date | None:
    """The day of a FHIR date or dateTime; a year or month alone counts as its middle."""
    if not isinstance(value, str):
        return None
    text = {4: f"{value}-07-01", 7: f"{value}-15"}.get(len(value), value[:10])
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def stated_times(observation: Resource) -> Iterator[Any]:
    """When an Observation was made, in whichever of FHIR's ways it says so, then when it was issued."""
    period = observation.get("effectivePeriod")
    begun = period.get("start") if isinstance(period, Mapping) else None
    effective = (observation.get("effectiveDateTime"), observation.get("effectiveInstant"), begun)
    yield from filter(None, (*effective, observation.get("issued")))


def posix_time(value: Any) -> float:
    """A FHIR dateTime in POSIX seconds, UTC where it names no zone; minus infinity where it is none."""
    try:
        when = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return float("-inf")
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def of_type(resources: Iterable[Resource], kind: str) -> list[Resource]:
    """The resources of one type that were not entered in error."""
    return [
        resource
        for resource in resources
        if resource.get("resourceType") == kind and resource.get("status") not in ("entered-in-error", "cancelled")
    ]
