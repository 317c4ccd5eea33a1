"""Advice: what the service answers to one note. A level, or the reasons why a person decides."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..answer import parse, verify
from ..esi import VITAL_SIGNS, VITALS_BY_NAME, Decision, Findings, Step, read
from ..notice import NOTICE
from ..predict import Reply
from .reason_words import hand_over_words


@dataclass(frozen=True, slots=True)
class HandOverReason:
    """Why a person decides: a code for programs, and the same as a sentence for the person."""

    code: str
    says: str


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model answered: its name, the software's version, and what stands for weights, prompt and settings."""

    name: str
    version: str
    identity: str | None = None
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """The answer to one note.

    `level` (1 to 5) is null where a person decides; `hand_over` says why. `likeliest` is the model's best single answer
    even then. `set` holds the levels that are not excluded, sorted. `probabilities` of ESI 1 to 5 where the model has
    them. `steps` A to D are the rules' (evidence spans count characters of `text`: the note, and after it the vital
    signs that were given as numbers). `missing` names vital signs that are not recorded. `rules_level` and `possible`
    are what the rules say, beside the model. `record` is the id of the row in the decision log; `previous` that of the
    record which this one follows. `degraded`: the model gave no answer in time, the rules answered.
    """

    level: int | None
    likeliest: int | None
    set: tuple[int, ...]
    probabilities: tuple[float, ...] | None
    hand_over: tuple[HandOverReason, ...]
    steps: tuple[Step, ...]
    missing: tuple[str, ...]
    rules_level: int | None
    possible: tuple[int, ...]
    warnings: tuple[str, ...]
    text: str
    model: ModelIdentity
    record: str = ""
    previous: str | None = None
    degraded: bool = False
    notice: str = NOTICE

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def full_text(narrative: str, vitals: Mapping[str, float]) -> str:
    """The note, and after it the vital signs that were given as numbers, as a nurse writes them."""
    signs = [VITALS_BY_NAME[name] for name in VITALS_BY_NAME if name in vitals]
    told = [f"{sign.label} {vitals[sign.name]:g}{'' if sign.unit[0] == '/' else ' '}{sign.unit}" for sign in signs]
    return "\n".join([narrative.rstrip(), *([", ".join(told) + "."] if told else [])])


def conflicts(narrative: str, vitals: Mapping[str, float]) -> tuple[str, ...]:
    """Sentences on vital signs of which the note says one value and the fields another."""
    stated = read(narrative).vitals if vitals else None
    found = []
    for name, value in vitals.items():
        noted = getattr(stated, name)
        if noted is not None and abs(noted - value) > 0.05:
            sign = VITALS_BY_NAME[name]
            found.append(f"{sign.label} is {noted:g} {sign.unit} in the note and {value:g} {sign.unit} in its field")
    return tuple(found)


def missing_signs(findings: Findings) -> tuple[str, ...]:
    """The names of the vital signs that neither the note nor the fields record."""
    return tuple(sign.name for sign in VITAL_SIGNS if getattr(findings.vitals, sign.name) is None)


def not_excluded(reply: Reply, decision: Decision) -> tuple[int, ...]:
    """The levels that stay possible; of a model that does not say, the rules' and its own."""
    if reply.level_set is not None:
        return reply.level_set
    own = {reply.level} if reply.level else set()
    return tuple(sorted(reply.possible if reply.possible is not None else own | decision.possible))


def own_reasons(reply: Reply, decision: Decision, text: str, widest_set: int) -> list[str]:
    """Why a person decides (codes), as we see it: for a reply whose model does not judge that itself."""
    if reply.level is None:
        return ["no-level"]
    left = not_excluded(reply, decision)
    codes = ["wide-set"] if len(left) > widest_set else []
    if 1 in (*left, *decision.possible) and reply.level >= 3:
        codes.append("urgent-not-excluded")
    if reply.level not in decision.possible:
        codes.append("model-outside-rules")
    verdict = verify(text, parse(reply.text), decision)
    if "disagree" in (*verdict.steps.values(), verdict.follows):
        codes.append("steps-contradicted")
    return codes


def reasons_of(codes: list[str]) -> tuple[HandOverReason, ...]:
    """Each code once, in order, with its sentence; a code without one stands for itself."""
    return tuple(HandOverReason(code, hand_over_words().get(code, code)) for code in dict.fromkeys(codes))
