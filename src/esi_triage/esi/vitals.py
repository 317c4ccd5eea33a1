"""Vital signs: names, units and the ranges outside which a number is a typing error.

The ranges are wide on purpose: they separate the impossible from the terrible. A value outside becomes null and is
counted; it is never clipped, because a clipped number is an invented one.
"""

from pydantic import BaseModel, ConfigDict, Field


class VitalSign(BaseModel):
    """What one vital sign is called, its unit, and the closed range that a living patient can show."""

    model_config = ConfigDict(frozen=True)

    name: str
    label: str
    unit: str
    low: float
    high: float

    def plausible(self, value: float) -> bool:
        """True when `value` (in this sign's unit) lies inside the closed range."""
        return self.low <= value <= self.high


VITAL_SIGNS: tuple[VitalSign, ...] = (
    VitalSign(name="temperature_c", label="T", unit="°C", low=25, high=45),
    VitalSign(name="heart_rate", label="HR", unit="/min", low=15, high=300),
    VitalSign(name="resp_rate", label="RR", unit="/min", low=3, high=80),
    VitalSign(name="spo2", label="SpO2", unit="%", low=30, high=100),
    VitalSign(name="sbp", label="SBP", unit="mmHg", low=30, high=300),
    VitalSign(name="dbp", label="DBP", unit="mmHg", low=10, high=200),
    VitalSign(name="pain", label="pain", unit="/10", low=0, high=10),
)
VITALS_BY_NAME: dict[str, VitalSign] = {sign.name: sign for sign in VITAL_SIGNS}


class Vitals(BaseModel):
    """The vital signs of one patient at triage. Null means "not recorded", which is not the same as normal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature_c: float | None = Field(default=None, description="body temperature, °C")
    heart_rate: float | None = Field(default=None, description="heart rate, beats per minute")
    resp_rate: float | None = Field(default=None, description="respiratory rate, breaths per minute")
    spo2: float | None = Field(default=None, description="oxygen saturation by pulse oximetry, %")
    sbp: float | None = Field(default=None, description="systolic blood pressure, mmHg")
    dbp: float | None = Field(default=None, description="diastolic blood pressure, mmHg")
    pain: float | None = Field(default=None, description="pain as the patient rates it, 0 to 10")


def fahrenheit_to_celsius(value: float) -> float:
    """Degrees Fahrenheit to degrees Celsius."""
    return (value - 32.0) / 1.8
