"""A case: one visit to an emergency department as the triage nurse could know it."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from ..reading import numeral
from .vitals import VITALS_BY_NAME, Vitals

Licence = Literal["open", "credentialed"]
Split = Literal["train", "tuning", "held_out"]
GoldSource = Literal[
    "nurse", "expert-confirmed", "expert-consensus", "handbook", "engine", "band", "model-consensus"
]  # fmt: skip
Scale = Literal["esi", "us-5-level", "ktas"]
Sex = Literal["F", "M"]
Arrival = Literal["walk-in", "ambulance", "helicopter", "other"]


def _identifier(value: Any) -> Any:
    """An id as text, without blanks at its ends. A whole number is its digits: pandas writes 1001 as 1001.0 where a
    column has gaps."""
    if isinstance(value, bool):
        raise ValueError("an id is text or a whole number")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int) else value.strip() if isinstance(value, str) else value


def _plain_number(value: Any) -> Any:
    """Numbers, and text that is one in plain digits; not all that Python takes for one (true, "1_0")."""
    if isinstance(value, bool):
        raise ValueError("a truth value is no number")
    if isinstance(value, str) and numeral(value) is None:
        raise ValueError("no number")
    if isinstance(value, int) and abs(value) > 1 << 53:
        raise ValueError("too large for any number of a case")
    return value


Identifier = Annotated[str, BeforeValidator(_identifier), Field(max_length=200)]
Number = Annotated[float, BeforeValidator(_plain_number), Field(allow_inf_nan=False)]
Level1To5 = Annotated[int, BeforeValidator(_plain_number), Field(ge=1, le=5)]


class Case(BaseModel):
    """One row of the case table. Missing is null and is told to the model as "not recorded"; it is never imputed.

    Ranges are enforced here: a heart rate of 900, 98.6 as degrees Celsius and NaN make no case.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    case_id: Identifier = Field(min_length=1, description="unique in its table")
    source: str = Field(description="where the row comes from, e.g. mimic-iv-ed or open")
    licence: Licence = Field(description="open, or credentialed: must not leave this machine")
    subject_id: Identifier | None = Field(
        default=None, description="the patient; splits never separate one patient's visits"
    )
    stay_id: Identifier | None = Field(default=None, description="the visit")
    split: Split | None = Field(default=None, description="train, tuning or held_out")
    narrative: str = Field(min_length=1, description="what the model reads; only what is known at triage")
    chief_complaint: str | None = Field(default=None, description="as written at the desk")
    age_years: Number | None = Field(default=None, ge=0, le=125, description="years; fractions for infants")
    sex: Sex | None = None
    arrival: Arrival | None = None
    temperature_c: Number | None = Field(default=None, description="body temperature, °C")
    heart_rate: Number | None = Field(default=None, description="beats per minute")
    resp_rate: Number | None = Field(default=None, description="breaths per minute")
    spo2: Number | None = Field(default=None, description="oxygen saturation, %")
    sbp: Number | None = Field(default=None, description="systolic blood pressure, mmHg")
    dbp: Number | None = Field(default=None, description="diastolic blood pressure, mmHg")
    pain: Number | None = Field(default=None, description="pain as the patient rates it, 0 to 10")
    pain_raw: str | None = Field(default=None, description="the pain field as typed, e.g. '8', 'unable'")
    gold: Level1To5 | None = Field(default=None, description="level, 1 to 5; null where nobody assigned one")
    gold_source: GoldSource | None = Field(default=None, description="who assigned gold")
    also_ok: tuple[Level1To5, ...] = Field(
        default=(), description="levels beside gold that a competent colleague could defend"
    )
    scale: Scale = Field(default="esi", description="the triage scale of gold; scales are never pooled")
    group: Identifier | None = Field(
        default=None, description="what splits and bootstraps never separate beyond the patient: the hospital-year"
    )
    weight: Number | None = Field(default=None, ge=0, description="survey weight; null elsewhere")
    human_level: Level1To5 | None = Field(
        default=None, description="the nurse's level where gold is somebody else's: the human baseline"
    )
    quality: tuple[str, ...] = Field(default=(), description="codes that code may read, e.g. reversed-group")
    red_flags: tuple[str, ...] = Field(default=(), description="signs that the narrative states, as reference answers")
    resources: tuple[str, ...] = Field(default=(), description="kinds of resource that gold rests on")
    vitals_stated: str | None = Field(default=None, description="what is said of the vital signs in place of figures")
    scenario: str | None = Field(default=None, description="what was written: the vignette or the author's scenario")
    reference_answer: str | None = Field(default=None, description="the answer that was written with the narrative")
    tags: tuple[str, ...] = Field(default=(), description="free marks; no code reads structure out of them")

    @field_validator("subject_id", "stay_id", "group", mode="before")
    @classmethod
    def _blank_is_unknown(cls, value: Any) -> Any:
        """Else all whose patient is not known would count as one patient; a hospital likewise."""
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator(*Vitals.model_fields)
    @classmethod
    def _in_range(cls, value: float | None, info: Any) -> float | None:
        sign = VITALS_BY_NAME[info.field_name]
        if value is not None and not sign.plausible(value):
            raise ValueError(f"not between {sign.low:g} and {sign.high:g} {sign.unit}{_hint(info.field_name, value)}")
        return value

    @property
    def vitals(self) -> Vitals:
        """The seven vital-sign columns as one object."""
        return Vitals(**{name: getattr(self, name) for name in Vitals.model_fields})


def _hint(name: str, value: float) -> str:
    if name == "temperature_c" and 80 <= value <= 115:
        return "; degrees Fahrenheit? Convert to °C"
    if name == "spo2" and 0 < value <= 1:
        return "; a fraction? Multiply by 100"
    return ""
