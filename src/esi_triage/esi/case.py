"""A case: one visit to an emergency department as the triage nurse could know it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from .vitals import Vitals

Licence = Literal["open", "credentialed"]
Split = Literal["train", "tuning", "held_out"]
GoldSource = Literal["nurse", "expert-confirmed", "handbook", "engine", "band"]
Sex = Literal["F", "M"]
Arrival = Literal["walk-in", "ambulance", "helicopter", "other"]


class Case(BaseModel):
    """One row of the case table. Missing is null and is told to the model as "not recorded"; it is never imputed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case_id: str = Field(min_length=1, description="unique in its table")
    source: str = Field(description="where the row comes from, e.g. mimic-iv-ed or open")
    licence: Licence = Field(description="open, or credentialed: must not leave this machine")
    subject_id: str | None = Field(default=None, description="the patient; splits never separate one patient's visits")
    stay_id: str | None = Field(default=None, description="the visit")
    split: Split | None = Field(default=None, description="train, tuning or held_out")
    narrative: str = Field(min_length=1, description="what the model reads; only what is known at triage")
    chief_complaint: str | None = Field(default=None, description="as written at the desk")
    age_years: float | None = Field(default=None, ge=0, le=125, description="years; fractions for infants")
    sex: Sex | None = None
    arrival: Arrival | None = None
    temperature_c: float | None = None
    heart_rate: float | None = None
    resp_rate: float | None = None
    spo2: float | None = None
    sbp: float | None = None
    dbp: float | None = None
    pain: float | None = Field(default=None, ge=0, le=10)
    pain_raw: str | None = Field(default=None, description="the pain field as typed, e.g. '8', 'unable'")
    gold: int | None = Field(default=None, ge=1, le=5, description="ESI level, 1 to 5; null where nobody assigned one")
    gold_source: GoldSource | None = Field(default=None, description="who assigned gold")
    tags: tuple[str, ...] = Field(default=(), description="free marks, e.g. presentation:chest-pain, flag:diaphoretic")

    @property
    def vitals(self) -> Vitals:
        """The seven vital-sign columns as one object."""
        return Vitals(**{name: getattr(self, name) for name in Vitals.model_fields})
