"""FHIR as three senders write it: MIMIC-IV-ED on FHIR, Chile's guide Urgencia, and the R4 profiles of vital signs.

Written here by hand after their published conversions and examples; no row of a real patient.
"""

import copy
from typing import Any

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"


def coded(code: str, system: str = LOINC) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def quantity(value: float, code: str) -> dict[str, Any]:
    return {"value": value, "unit": code, "system": UCUM, "code": code}


def observation(id: str, code: str, patient: str, encounter: str, time: str, **value: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": coded(code),
        "subject": {"reference": f"Patient/{patient}"},
        "encounter": {"reference": f"Encounter/{encounter}"},
        "effectiveDateTime": time,
        **value,
    }


def pressure(id: str, systolic: float, diastolic: float, *where: str) -> dict[str, Any]:
    parts = [("8480-6", systolic), ("8462-4", diastolic)]
    component = [{"code": coded(code), "valueQuantity": quantity(value, "mm[Hg]")} for code, value in parts]
    return observation(id, "85354-9", *where, component=component)


def bundle(*resources: dict[str, Any], kind: str = "searchset") -> dict[str, Any]:
    entries = [{"fullUrl": f"urn:uuid:{one.get('id')}", "resource": copy.deepcopy(one)} for one in resources]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def mimic() -> dict[str, Any]:
    """Dates in the 22nd century, °F, annotated units, complaint, pain and acuity as valueString, always finished."""
    at = ("p1", "e1", "2180-05-06T19:17:00-04:00")
    later = ("p1", "e1", "2180-05-06T21:40:00-04:00")
    patient = {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "2113-05-06"}
    encounter = {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "EMER"},
        "subject": {"reference": "Patient/p1"},
        "period": {"start": at[2], "end": "2180-05-06T23:30:00-04:00"},
        "hospitalization": {
            "admitSource": coded("AMBULANCE", "http://fhir.mimic.mit.edu/CodeSystem/mimic-admit-source"),
            "dischargeDisposition": coded("ADMITTED", "http://fhir.mimic.mit.edu/CodeSystem/x"),
        },
    }
    return bundle(
        patient,
        encounter,
        observation("t", "8310-5", *at, valueQuantity=quantity(101.3, "[degF]")),
        observation("h", "8867-4", *at, valueQuantity=quantity(104, "{Beats}/min")),
        observation("r", "9279-1", *at, valueQuantity=quantity(22, "{Breaths}/min")),
        observation("o", "2708-6", *at, valueQuantity=quantity(94, "%")),
        pressure("b", 98, 61, *at),
        observation("p", "98137-3", *at, valueString="8"),
        observation("c", "8661-1", *at, valueString="Chest pain, Dyspnea"),
        observation("a", "56839-4", *at, valueString="2"),
        observation("h2", "8867-4", *later, valueQuantity=quantity(77, "{Beats}/min")),
    )


def chile() -> dict[str, Any]:
    """A transaction; the level in Encounter.priority; vital signs with status `registered`."""
    guide = "https://interoperabilidad.minsal.cl/fhir/ig/urgencia"
    encounter = {
        "resourceType": "Encounter",
        "id": "d1391b7b",
        "status": "triaged",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "EMER"},
        "identifier": [{"value": "126402-0025"}],
        "period": {"start": "2024-10-25T13:18:00-04:00"},
        "hospitalization": {
            "extension": [
                {
                    "url": f"{guide}/StructureDefinition/MedioDeLlegada",
                    "valueCodeableConcept": coded("1", f"{guide}/CodeSystem/MedioDeLlegada"),
                }
            ],
            "admitSource": coded("9", f"{guide}/CodeSystem/Procedencia"),
        },
        "subject": {"reference": "Patient/paciente"},
        "priority": coded("3", f"{guide}/CodeSystem/categorizacion-esi"),
        "reasonCode": [{"text": "Dolor abdominal de 24 horas de evolución"}],
    }
    patient = {"resourceType": "Patient", "id": "paciente", "gender": "male", "birthDate": "1990"}
    pulse = observation(
        "d01f4e15", "8867-4", "paciente", "d1391b7b", "2024-10-25T14:18:00-04:00", valueQuantity=quantity(80, "/min")
    )
    weight = observation("w", "29463-7", "paciente", "d1391b7b", "2024-10-25", valueQuantity=quantity(70, "kg"))
    practitioner = {"resourceType": "Practitioner", "id": "enfermera"}
    return bundle(encounter, practitioner, patient, {**pulse, "status": "registered"}, weight, kind="transaction")


def profiles() -> dict[str, Any]:
    """The vital-signs profiles of R4: Celsius, a pain score as integer, a retracted and an absent value."""
    at = ("kid", "v9", "2026-03-02T08:05:00Z")
    patient = {"resourceType": "Patient", "id": "kid", "gender": "male", "birthDate": "2025-11-20"}
    encounter = {
        "resourceType": "Encounter",
        "id": "v9",
        "status": "arrived",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "EMER"},
        "period": {"start": "2026-03-02T08:00:00Z"},
        "reasonCode": [coded("386661006", "http://snomed.info/sct") | {"text": "Fever, poor feeding"}],
    }
    wrong = observation("x", "8310-5", *at, valueQuantity=quantity(36.5, "Cel")) | {"status": "entered-in-error"}
    absent = observation("z", "59408-5", *at, dataAbsentReason=coded("unknown", "http://x"))
    return bundle(
        patient,
        encounter,
        observation("t", "8310-5", *at, valueQuantity=quantity(39.4, "Cel")),
        observation("t2", "8310-5", "kid", "v9", "2026-03-02T08:20:00Z", valueQuantity=quantity(39.1, "Cel")),
        observation("h", "8867-4", *at, valueQuantity=quantity(188, "/min")),
        observation("p", "72514-3", *at, valueInteger=4),
        observation("old", "8867-4", "kid", "v1", "2026-01-02T08:00:00Z", valueQuantity=quantity(120, "/min")),
        observation("e", "75636-1", *at, valueCodeableConcept=coded("LA21752-3")),
        wrong,
        absent,
    )
