"""The guard: the rules say what is possible, a learned model ranks, expected cost decides, and a person has the rest.

What the rules say is evidence with a weight that was fitted on tuning data (`calibration`): on notes as nurses type
them they exclude the right level in one note of ten, so they do not overrule the model. Where the two part, the case is
handed over. Without a calibration there is no such weight, and the likeliest level that the rules leave possible is the
answer.
"""

import hashlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version

from ...answer import parse, verify
from ...answer.format import lines_of
from ...esi import LEVELS, Case, Decision, Findings
from ..calibration import Calibration
from ..model import Model, Reply, reply_of
from ..rules_model import NO_NOTE, decision_text, is_note, reading_of, reply_from
from .hand_over import GuardSettings, load_settings
from .known_words import unknown_share, unpacked
from .weighed_rules import weighed_reply

Risk = Callable[[Sequence[Case]], Sequence[float]]
"""Cases to each one's predicted probability of a critical outcome."""


def guard_model(
    learned: Model,
    calibration: Calibration | None = None,
    settings: GuardSettings | None = None,
    risk: Risk | None = None,
) -> Model:
    """The rules and `learned` as one model; `risk` predicts critical outcomes, where there is such a model.

    Every case gets a level where the rules can read it as a note. A reply that failed keeps its error.
    """
    settings = settings or load_settings()
    guard = _Guard(settings, calibration, risk)

    def stream(cases: Sequence[Case]) -> Generator[list[tuple[int, Reply]], None, None]:
        for batch in learned.stream(cases):
            asked = [cases[place] for place, _ in batch]
            risks = risk(asked) if risk else [None] * len(batch)
            yield [
                (place, guard.reply(case, told, chance))
                for (place, told), case, chance in zip(batch, asked, risks, strict=True)
            ]

    again = learned.again
    fitted = calibration.model_dump_json() if calibration else "uncalibrated"
    inside = learned.identity or f"{learned.name} {dict(learned.settings)}"
    parts = f"{fitted} {inside} {'risk' if risk else ''}"
    stands_for = f"guard {settings.model_dump_json()} {parts} esi-triage {version('esi-triage')}"
    return Model(
        name=f"guard:{learned.name}",
        stream=stream,
        identity=learned.identity and stands_for,
        settings={**learned.settings, "model_sha256": hashlib.sha256(stands_for.encode()).hexdigest()},
        again=again and (lambda k: guard_model(again(k), calibration, settings, risk)),
        notice=learned.notice,
        judges=True,
    )


@dataclass(frozen=True)
class _Guard:
    settings: GuardSettings
    calibration: Calibration | None
    risk: Risk | None

    @cached_property
    def _known(self):
        return unpacked(self.calibration.words) if self.calibration else None

    def reply(self, case: Case, told: Reply, risk: float | None) -> Reply:
        """What the guard says where the learned model said `told`."""
        if told.error is not None:
            return told
        findings, decision = reading = reading_of(case.narrative)
        if not is_note(findings):
            return replace(NO_NOTE, hand_over=("unread-text",))
        # the findings' weights answer the handbook's question, not which level a hospital gives
        rules = weighed_reply(case.narrative, reading) if case.scale == "esi" else reply_from(reading)
        weighed = self._weighed(told, rules)
        level = weighed.level or decision.level
        seen = _Seen(case, told, weighed, findings, decision, level, risk)
        parted = [f"the rules alone say ESI {decision.level}"] if level != decision.level else []
        text = told.text if lines_of(told.text) and told.level == level else decision_text(findings, decision, level)
        return replace(
            reply_of(text, told.tokens, told.truncated, weighed.probabilities),
            possible=rules.possible,
            warnings=(*rules.warnings, *told.warnings, *parted),
            level_set=weighed.level_set,
            hand_over=self._reasons(seen),
        )

    def _weighed(self, told: Reply, rules: Reply) -> Reply:
        """The model's reply with the rules' word in it: level of least cost, probabilities, set."""
        possible = rules.possible or LEVELS
        if told.probabilities is None:
            return replace(told, level=told.level if told.level in possible else rules.level)
        if self.calibration is None:
            likeliest = max(possible, key=lambda level: (told.probabilities or ())[level - 1])
            return replace(told, level=likeliest)
        fitted = self.calibration.with_rules
        probabilities = fitted.probabilities(told.probabilities, rules)
        level = self.settings.cheapest(probabilities)  # by cost it may be another than the likeliest
        inside = (*fitted.set_at(self.settings.hand_over.coverage, probabilities), level)
        contiguous = tuple(range(min(inside), max(inside) + 1))
        return replace(told, level=level, probabilities=probabilities, level_set=contiguous)

    def _reasons(self, seen: "_Seen") -> tuple[str, ...]:
        limits = self.settings.hand_over
        inside = seen.weighed.level_set
        holds = {
            "no-level": seen.told.level is None and seen.told.probabilities is None,
            "uncalibrated": inside is None,
            "model-outside-rules": not {seen.told.level or seen.level, seen.level} <= seen.decision.possible,
            "wide-set": inside is not None and len(inside) > limits.widest_set,
            "unsure": seen.probability < limits.least_probability,
            "urgent-not-excluded": inside is not None and seen.level >= 3 and seen.urgent > limits.urgent_above,
            "unread-text": seen.unread_words > limits.unread_words,
            "steps-contradicted": seen.steps_contradicted,
            "vitals-missing": seen.vitals_missing and seen.urgent > limits.vitals_urgent_above,
            "unlike-training-data": self._unlike(seen.case),
            "risk-high": seen.risk is not None and seen.risk > limits.risk_above[seen.level - 1],
        }
        return tuple(code for code, held in holds.items() if held and code not in limits.off)

    def _unlike(self, case: Case) -> bool:
        if self.calibration is None or self._known is None:
            return False
        return unknown_share(case.narrative, self._known) > self.calibration.unlike_above


@dataclass(frozen=True)
class _Seen:
    """One case with what the model and the rules made of it."""

    case: Case
    told: Reply
    weighed: Reply
    findings: Findings
    decision: Decision
    level: int
    risk: float | None

    @property
    def probability(self) -> float:
        """Of the level that is answered; 1 where there are no probabilities, which other reasons look at."""
        return self.weighed.probabilities[self.level - 1] if self.weighed.probabilities else 1.0

    @property
    def urgent(self) -> float:
        """The probability that ESI 1 or 2 is right; 1 where there are no probabilities."""
        return sum(self.weighed.probabilities[:2]) if self.weighed.probabilities else 1.0

    @property
    def unread_words(self) -> float:
        """The share of the note's words that stand in clauses which the rules did not understand."""
        unread = sum(len(clause.text.split()) for clause in self.decision.unread)
        return unread / max(1, len(self.case.narrative.split()))

    @property
    def steps_contradicted(self) -> bool:
        """The model stated steps, and they do not agree with the note, the engine or each other."""
        if "step_a" not in lines_of(self.told.text):
            return False
        return not verify(self.case.narrative, parse(self.told.text), self.decision).consistent

    @property
    def vitals_missing(self) -> bool:
        """Heart or respiratory rate is not recorded, and at point D it could raise the level that is answered."""
        point_d = self.decision.step("D")
        left_open = point_d.answer == "undetermined" and not point_d.evidence
        return self.level == 3 and left_open and 2 in self.decision.possible
