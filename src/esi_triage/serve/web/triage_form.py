"""The triage form as it was sent: read, checked field by field, and given back so that nothing is typed twice."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from ...esi import VITAL_SIGNS, VitalSign
from ..service import FieldError

_MOST_FIELDS = 40
UNDECIDED = "undecided"


@dataclass(frozen=True)
class TriageForm:
    """What the person typed, by field. `wrong` holds a sentence for each field that cannot be used."""

    narrative: str = ""
    own_level: str = ""
    previous: str = ""
    signs: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)

    @property
    def vitals(self) -> dict[str, float]:
        """The vital signs as numbers; only where nothing is wrong."""
        return {name: _number(typed) for name, typed in self.signs.items()}

    @property
    def own(self) -> int | None:
        """The person's own level, or null where they have not decided."""
        return int(self.own_level) if self.own_level in tuple("12345") else None


def fields_of(body: bytes) -> dict[str, str]:
    """The fields of a form that a browser sent. Raises FieldError where the bytes are none."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise FieldError("(body)", "is no form that can be read", "send the page's own form") from None
    return dict(pairs)


def triage_form(fields: Mapping[str, str], most: int) -> TriageForm:
    """The form with what is wrong in it; `most` characters of a note are taken."""
    signs = {sign.name: fields.get(sign.name, "").strip() for sign in VITAL_SIGNS}
    signs = {name: typed for name, typed in signs.items() if typed}
    wrong = {sign.name: said for sign in VITAL_SIGNS if (said := _wrong_sign(sign, signs.get(sign.name)))}
    narrative = fields.get("narrative", "").replace("\r\n", "\n")
    if not narrative.strip():
        wrong["narrative"] = "Write what you know of the patient, e.g. complaint and vital signs."
    elif len(narrative) > most:
        wrong["narrative"] = f"The note has {len(narrative)} characters; at most {most} can be read."
    own = fields.get("own_level", "")
    if own not in (*"12345", UNDECIDED):
        wrong["own_level"] = "Choose your own level, or that you have not decided."
    return TriageForm(narrative, own, fields.get("previous", ""), signs, wrong)


def _number(typed: str) -> float:
    return float(typed.replace(",", "."))


def _wrong_sign(sign: VitalSign, typed: str | None) -> str | None:
    if typed is None:
        return None
    plain = typed.replace(",", ".").replace(".", "", 1)
    if not (plain.isascii() and plain.isdigit() and len(plain) <= 6):
        return f"{SIGN_NAMES[sign.name]}: write a number, or leave it empty."
    if sign.plausible(_number(typed)):
        return None
    hint = " Is it in °F? Convert to °C." if sign.name == "temperature_c" and 80 <= _number(typed) <= 115 else ""
    return f"{SIGN_NAMES[sign.name]}: {typed} is not between {sign.low:g} and {sign.high:g} {sign.unit}.{hint}"


SIGN_NAMES = {
    "temperature_c": "Temperature",
    "heart_rate": "Heart rate",
    "resp_rate": "Respiratory rate",
    "spo2": "Oxygen saturation",
    "sbp": "Systolic pressure",
    "dbp": "Diastolic pressure",
    "pain": "Pain",
}
