"""What a model's probabilities are worth: fitted on tuning data, kept as JSON beside the model, applied to its replies.

One temperature per model, and class-conditional conformal sets. The same is fitted a second time with the rules beside
the model, for the guard: what it adds that the rules answer a level, that they exclude one, and what the odds of their
findings weigh (`guard.weighed_rules`).
"""

import hashlib
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..atomic_files import sha256_of, write_text
from ..errors import InputError, first_problem
from ..esi import Case
from ..reading import read_json
from .guard.conformal import COVERAGES, Limits, conformal_limits, level_set
from .guard.known_words import packed, unknown_shares_apart, word_bits
from .guard.weighed_rules import findings_weights
from .model import Model, Probabilities, Reply

_FEWEST = 30  # cases; with fewer a temperature is noise
_LIKE_99_OF_100 = 0.99  # of the calibration cases count as like the others
_LEAST = 1e-6  # a probability of 0 is never quite 0


class Fitted(BaseModel):
    """A map from raw to calibrated probabilities, and the limits of the sets made of them.

    log p is divided by `temperature`; the level that the rules answer gains `rules_level`, a level that they exclude
    loses `rules_exclude`, and each gains `rules_findings` times the log probability by the rules' findings (0 where the
    rules take no part). Brier scores (0 to 2) are of the cases that it was
    fitted on: raw, and after. `limits` by coverage ("0.90", "0.95"): see `conformal_limits`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    temperature: float = Field(gt=0)
    rules_level: float = 0.0
    rules_exclude: float = 0.0
    rules_findings: float = 0.0
    brier_before: float
    brier_after: float
    limits: dict[str, Limits]

    def probabilities(self, raw: Probabilities, rules: Reply | None = None) -> Probabilities:
        """Calibrated probabilities; `rules` is the rules' reply to the same case, where they take part."""
        rules_part = (self.rules_level, self.rules_exclude, self.rules_findings)
        settings = np.array([np.log(self.temperature), *rules_part])
        one, two, three, four, five = _calibrated(settings, *_evidence([raw], [rules]))[0].tolist()
        return (one, two, three, four, five)

    def set_at(self, coverage: float, probabilities: Sequence[float]) -> tuple[int, ...]:
        """The levels that cannot be excluded at that coverage, contiguous."""
        return level_set(probabilities, self.limits[f"{coverage:.2f}"])


class Calibration(BaseModel):
    """One model's calibration. `alone` is for its own replies, `with_rules` for the guard.

    `model_sha256` says whose it is; `cases` and `cases_sha256` what it was fitted on: `n` cases, `by_level` of ESI 1 to
    5. `words` are the words of these cases (`known_words`), and a note is unlike them where more than `unlike_above` of
    its words are not among them. `findings_sha256` tells the weights of the findings that `with_rules` was fitted with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    model_sha256: str
    cases: str
    cases_sha256: str
    n: int
    by_level: tuple[int, int, int, int, int]
    alone: Fitted
    with_rules: Fitted
    findings_sha256: str
    unlike_above: float
    words: str = Field(repr=False)


def fit_calibration(
    name: str, model_sha256: str, file: Path, cases: Sequence[Case], replies: Sequence[Reply], rules: Sequence[Reply]
) -> Calibration:
    """Fit on labelled `cases`, read from `file`, with the model's replies and those of `weighed_rules`.

    A case without probabilities or a gold level is left out. Raises InputError where fewer than 30 or a single level
    are left. Weights and limits are fitted on the same cases: one or four numbers cost the sets little.
    """
    rows = [(c, m, r) for c, m, r in zip(cases, replies, rules, strict=True) if m.probabilities and c.gold]
    gold = np.array([case.gold for case, _, _ in rows], dtype=np.int64)
    if len(rows) < _FEWEST or len(np.unique(gold)) < 2:
        raise InputError(
            f"{file}: {len(rows)} cases have a gold level and probabilities from {name}, of {len(np.unique(gold))} "
            f"levels; calibration needs {_FEWEST} cases or more, of two levels or more. Give a larger tuning table."
        )
    raw = [reply.probabilities for _, reply, _ in rows if reply.probabilities]
    narratives = [case.narrative for case, _, _ in rows]
    apart = unknown_shares_apart(narratives, [case.group or case.case_id for case, _, _ in rows])
    one, two, three, four, five = np.bincount(gold, minlength=6)[1:].tolist()
    return Calibration(
        model=name,
        model_sha256=model_sha256,
        cases=file.name,
        cases_sha256=sha256_of(file),
        n=len(rows),
        by_level=(one, two, three, four, five),
        alone=_fit(raw, [None] * len(rows), gold),
        with_rules=_fit(raw, [rule for _, _, rule in rows], gold),
        findings_sha256=findings_weights().sha256,
        unlike_above=float(np.quantile(apart, _LIKE_99_OF_100, method="higher")),
        words=packed(word_bits(narratives)),
    )


def _fit(raw: Sequence[Probabilities], rules: Sequence[Reply | None], gold: NDArray[np.int64]) -> Fitted:
    """The settings of least log loss."""
    from scipy.optimize import minimize

    evidence, own = _evidence(raw, rules), np.arange(len(gold))
    beside = any(rule is not None for rule in rules)

    def log_loss(settings: NDArray[np.float64]) -> float:
        return float(-np.log(_calibrated(settings, *evidence)[own, gold - 1] + _LEAST).mean())

    bounds = [(-3.0, 3.0), *((0.0, 8.0 * beside),) * 3]
    found = minimize(log_loss, np.zeros(4), method="Powell", bounds=bounds).x if beside else _temperature(log_loss)
    after = _calibrated(found, *evidence)
    return Fitted(
        temperature=float(np.exp(found[0])),
        rules_level=float(found[1]),
        rules_exclude=float(found[2]),
        rules_findings=float(found[3]),
        brier_before=_brier(np.array(raw), gold),
        brier_after=_brier(after, gold),
        limits={f"{coverage:.2f}": conformal_limits(after, gold, coverage) for coverage in COVERAGES},
    )


def _temperature(log_loss: Any) -> NDArray[np.float64]:
    from scipy.optimize import minimize_scalar

    best = minimize_scalar(lambda t: log_loss(np.array([t, 0.0, 0.0, 0.0])), bounds=(-3.0, 3.0), method="bounded").x
    return np.array([best, 0.0, 0.0, 0.0])


Evidence = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def _evidence(raw: Sequence[Probabilities], rules: Sequence[Reply | None]) -> Evidence:
    """(n, 5) each: log p, 1 at the level that the rules answer, 1 at the levels that they exclude, log p by their
    findings."""
    scores = np.log(np.clip(np.array(raw, dtype=float), _LEAST, 1))
    answered, excluded, findings = np.zeros_like(scores), np.zeros_like(scores), np.zeros_like(scores)
    for row, rule in enumerate(rules):
        if rule is not None and rule.level is not None:
            answered[row, rule.level - 1] = 1
            excluded[row] = [rule.possible is not None and level not in rule.possible for level in range(1, 6)]
        if rule is not None and rule.probabilities is not None:
            findings[row] = np.log(np.clip(rule.probabilities, _LEAST, 1))
    return scores, answered, excluded, findings


def _calibrated(
    settings: NDArray[np.float64],
    scores: NDArray[np.float64],
    answered: NDArray[np.float64],
    excluded: NDArray[np.float64],
    findings: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(n, 5). `settings`: log temperature, what the rules' level gains, what an excluded level loses, what the
    findings weigh."""
    by_rules = settings[1] * answered - settings[2] * excluded + settings[3] * findings
    logits = scores / np.exp(settings[0]) + by_rules
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def _brier(probabilities: NDArray[np.float64], gold: NDArray[np.int64]) -> float:
    return float(((probabilities - np.eye(5)[gold - 1]) ** 2).sum(axis=1).mean())


def write_calibration(calibration: Calibration, file: Path) -> None:
    """Write it as JSON, whole or not at all."""
    write_text(file, calibration.model_dump_json(indent=2) + "\n")


def read_calibration(file: Path, model_sha256: str, name: str) -> Calibration:
    """The calibration in `file`. Raises InputError where it is damaged, or of another model than `model_sha256`."""
    remedy = f"Make one with `esi calibrate --model {name} --cases TUNING -o {file.name}`."
    try:
        found = Calibration.model_validate(read_json(file, remedy))
    except ValidationError as error:
        raise InputError(f"{file}: no calibration: {first_problem(error, show_value=False)}. {remedy}") from None
    if found.model_sha256 != model_sha256:
        raise InputError(
            f"{file}: it is the calibration of {found.model} ({found.model_sha256[:12]}), not of {name} "
            f"({model_sha256[:12]}). {remedy}"
        )
    if found.findings_sha256 != findings_weights().sha256:
        raise InputError(f"{file}: it was made beside other weights of the rules' findings than these. {remedy}")
    return found


def calibrated_model(model: Model, calibration: Calibration, coverage: float = COVERAGES[0]) -> Model:
    """The same model with calibrated probabilities and, at `coverage`, the set of levels that it does not exclude."""

    def stream(cases: Sequence[Case]) -> Generator[list[tuple[int, Reply]], None, None]:
        for batch in model.stream(cases):
            yield [(place, _with_set(reply, calibration.alone, coverage)) for place, reply in batch]

    again = model.again
    told = {
        "calibrated_on": f"{calibration.cases} (sha256 {calibration.cases_sha256[:12]}), n = {calibration.n}",
        "calibration_sha256": hashlib.sha256(calibration.model_dump_json().encode()).hexdigest(),
    }
    return replace(
        model,
        stream=stream,
        identity=model.identity and f"{model.identity} {calibration.model_dump_json()}",
        settings={**model.settings, **told},
        again=again and (lambda k: calibrated_model(again(k), calibration, coverage)),
    )


def _with_set(reply: Reply, fitted: Fitted, coverage: float) -> Reply:
    if reply.probabilities is None:
        return reply
    probabilities = fitted.probabilities(reply.probabilities)
    return replace(reply, probabilities=probabilities, level_set=fitted.set_at(coverage, probabilities))
