"""What the REST interface takes and gives: strict types, no unknown keys, no text that is no text."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, create_model

from ...esi import VITAL_SIGNS, VitalSign
from ..advice import ModelIdentity
from ..problems import Problem
from ..reason_words import override_words

BATCH_MOST = 50
_EXAMPLE = "54 y/o M, chest pain radiating to the left arm, sweating. BP 150/90"


def _whole_text(value: str) -> str:
    """Text that can be encoded; half a surrogate pair cannot."""
    if any("\ud800" <= sign <= "\udfff" for sign in value):
        raise ValueError("has half a surrogate pair; send text as UTF-8")
    return value


Text = Annotated[str, AfterValidator(_whole_text)]
Id = Annotated[str, AfterValidator(_whole_text), Field(min_length=1, max_length=200)]

Level = Annotated[StrictInt, Field(ge=1, le=5)]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _vital_field(sign: VitalSign) -> Any:
    said = f"{sign.label}, {sign.unit}"
    return float | None, Field(default=None, ge=sign.low, le=sign.high, allow_inf_nan=False, description=said)


GivenVitals: Any = create_model("GivenVitals", __base__=_Message, **{s.name: _vital_field(s) for s in VITAL_SIGNS})


class TriageRequest(_Message):
    """One note. What was not recorded is left out or null."""

    narrative: Text = Field(min_length=1, description="what the triage nurse wrote", examples=[_EXAMPLE])
    vitals: GivenVitals | None = Field(  # pyright: ignore[reportInvalidTypeForm]
        default=None, description="vital signs as numbers", examples=[{"heart_rate": 104}]
    )
    own_level: Level | None = Field(default=None, description="what the person said before seeing the advice")
    previous: Id | None = Field(default=None, description="the record that this one follows: triaged again")

    def signs(self) -> dict[str, float]:
        """The vital signs that were given."""
        return {} if self.vitals is None else self.vitals.model_dump(exclude_none=True)


class BatchRequest(_Message):
    """Several notes, answered in order; each answer is a record of its own."""

    cases: list[TriageRequest] = Field(min_length=1, max_length=BATCH_MOST)


class DecisionRequest(_Message):
    """What a person decided after an advice. Where the level differs from the advice, a reason is needed."""

    record: Id = Field(description="the id of the advice")
    level: Level = Field(description="the level that the person chose")
    reason: Annotated[Id, Field(json_schema_extra={"enum": [*override_words()]})] | None = Field(
        default=None, description="why it differs"
    )
    comment: Annotated[Text, Field(max_length=2000)] | None = Field(
        default=None, description="kept only where the log keeps texts"
    )


class LogRecord(BaseModel):
    """A row of the decision log: its id, its place and its hash, which covers all rows before it."""

    id: str
    sequence: int
    time: str
    hash: str


class LogHead(BaseModel):
    """The newest row, or null in an empty log. Kept elsewhere, it shows later that no row was cut off."""

    head: LogRecord | None


class Attribute(BaseModel):
    """One of the 31 source attributes of ONC 170.315(b)(11)."""

    group: str
    name: str
    value: str = Field(description="`not assessed` where nobody has looked")


class ModelFacts(BaseModel):
    """What is known of the model that answers here."""

    model: ModelIdentity
    attributes: list[Attribute]
    notice: str


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """How a route's refusals look in the OpenAPI description."""
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    return {
        status: {"description": _SAID[status], "content": {"application/problem+json": {"schema": schema}}}
        for status in (*statuses, 401, 421)
    }


_SAID = {
    400: "The body is no JSON.",
    401: "The token is missing or wrong.",
    413: "The body is too large.",
    421: "The Host header names another machine.",
    422: "A field is wrong; `errors` says which and what to do.",
    503: "The queue is full (see Retry-After), or the decision log cannot be written.",
}
