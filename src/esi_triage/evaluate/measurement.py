"""Everything that is measured on labelled cases and a model's replies to them: no files, no model asked."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..esi import Case
from ..predict.model import Reading, Reply
from .breakdowns.baseline_rows import baseline_answers, baseline_rows
from .breakdowns.hand_overs import hand_overs
from .breakdowns.outcome_figures import expected_levels, outcome_figures
from .breakdowns.repeatability import repeatability
from .breakdowns.slices import slice_figures, slices_of
from .breakdowns.step_checks import steps
from .breakdowns.subgroups import BY_CASE, groups_of, subgroups
from .clusters import resampled_by
from .engine_readings import read_all
from .labelled_cases import score_answers
from .linked_tables import Linked
from .scored import Scored
from .statistics.confusion import Levels
from .statistics.costs import load_costs
from .statistics.metrics import best_constant, figures, metrics
from .statistics.paired_tests import differences


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A model's replies on labelled cases, and what they score; `samples` are further replies to the same."""

    model: str
    cases: list[Case]
    replies: list[Reply]
    metrics: dict[str, Any]
    samples: Sequence[Sequence[Reply]] = ()

    @property
    def gold(self) -> list[int]:
        """The gold levels."""
        return [case.gold for case in self.cases if case.gold is not None]

    @property
    def predicted(self) -> list[int | None]:
        """The levels answered, null for none."""
        return [reply.level for reply in self.replies]

    @property
    def scored(self) -> Scored:
        """The answers as figures are computed from them."""
        return score_answers(self.cases, self.predicted)


def evaluate_replies(
    model: str,
    cases: Sequence[Case],
    replies: Sequence[Reply],
    others: Mapping[str, Sequence[Reply]] | None = None,
    samples: Sequence[Sequence[Reply]] = (),
    linked: Linked | None = None,
    readings: Sequence[Reading] | None = None,
) -> Evaluation:
    """The figures of a model's replies to labelled cases of one scale, in order.

    `others` are other models' replies by name, in addition to the baselines of every report; `samples` are the model's
    further replies to the same cases; `linked` holds outcomes and groups; `readings` are the engine's, made
    here where they are not given.
    """
    linked, others = linked or Linked(), others or {}
    scored = score_answers(cases, _levels(replies))
    readings = readings or read_all([case.narrative for case in cases])
    parts = slices_of(cases, readings)
    by_patient = [part for part in parts if part.group in BY_CASE] + groups_of(linked.groups)
    baselines = baseline_answers(cases, readings) | {name: _levels(told) for name, told in others.items()}
    measured = _figures(cases, replies, scored) | {
        "baselines": baseline_rows(scored, baselines),
        "slices": slice_figures(scored, parts),
        "subgroups": subgroups(scored, by_patient, linked.outcomes),
        "hand_overs": hand_overs(scored, replies),
        "steps": steps(cases, readings, [reply.text for reply in replies], scored),
        **_without_reversed_groups(cases, scored),
    }
    if linked.outcomes or linked.not_recorded:
        rows = {name: (expected_levels(told), _levels(told)) for name, told in {model: replies, **others}.items()}
        rows |= {name: (baselines[name], baselines[name]) for name in ("rules", "human") if name in baselines}
        measured["outcomes"] = {
            "file": linked.file,
            "by_outcome": outcome_figures(scored, linked.outcomes, rows),
            "not_recorded": list(linked.not_recorded),
        }
    if samples:
        measured["repeatability"] = repeatability(scored, [_levels(again) for again in samples])
    return Evaluation(model, list(cases), list(replies), measured, samples)


def weighted_figures(cases: Sequence[Case], scored: Scored) -> dict[str, Any]:
    """The figures of the model and of its best constant, each case counting by its survey weight."""
    return _beside_the_constant(scored.weighted([case.weight or 0.0 for case in cases]))


def _figures(cases: Sequence[Case], replies: Sequence[Reply], scored: Scored) -> dict[str, Any]:
    probabilities = [reply.probabilities for reply in replies]
    wrote = any(reply.text for reply in replies)  # else they are levels from somebody's file, of no format
    found = metrics(
        scored,
        probabilities=probabilities if any(probabilities) else None,
        strict=[reply.strict for reply in replies] if wrote else None,
        truncated=[reply.truncated for reply in replies] if wrote else None,
        gold_sources=[case.gold_source for case in cases],
    )
    found["intervals"]["clusters"] = resampled_by([case.group for case in cases])
    patients = {case.subject_id for case in cases}
    return found | {
        "patients": None if None in patients else len(patients),
        "scale": cases[0].scale,
        "sources": sorted({case.source for case in cases}),
        "splits": dict(Counter(case.split or "none" for case in cases)),
        "no_reply": scored.share_of([reply.error is not None for reply in replies]),
        "levels_answered": len({reply.level for reply in replies} - {None}),
        "margin_over_best_constant": differences(_constant(scored), scored)["exact"],
    }


def _without_reversed_groups(cases: Sequence[Case], scored: Scored) -> dict[str, Any]:
    """The figures without the groups whose levels run the wrong way round, where the cases have any."""
    kept = np.array(["reversed-group" not in case.quality for case in cases])
    if kept.all() or not kept.any():
        return {}
    return {"without_reversed_groups": _beside_the_constant(scored.only(kept))}


def _beside_the_constant(scored: Scored) -> dict[str, Any]:
    """The figures of the model and of the best constant of these very cases, with its `level`."""
    level, costs = best_constant(scored)["level"], load_costs()
    return {
        "model": figures(scored, costs),
        "best_constant": {"level": level, **figures(scored.answered([level] * scored.n), costs)},
    }


def _constant(scored: Scored) -> Scored:
    """The best constant policy's answers."""
    return scored.answered([best_constant(scored)["level"]] * scored.n)


def _levels(replies: Sequence[Reply]) -> Levels:
    return [reply.level for reply in replies]
