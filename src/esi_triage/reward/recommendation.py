"""Which reward to train with: from what errors cost, how common the levels are, and how skilled the warm start is.

The table is what errors cost, so that expected reward is expected cost. Without the group's scaling GRPO sees it as it
is. With it every row counts the same, whatever its errors cost: then a level is drawn in proportion to the spread of
its row at the warm start, which gives the rows their weights back. Of the two the one is taken that ends cheaper.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .audit import Audit, audit
from .audit.finding import listed, short_percent
from .audit.setting import Scale, Setting
from .design import Design, load_design
from .simulate import CAVEAT
from .simulate.expected_course import PROMPTS

GROUP_SIZE = 8
MOST = 20.0  # of a class factor: v45c's, beyond which a level is drawn for its own sake
WHY = {  # by the trainer's scaling
    "group": "Class factors: the group's scaling hides how large a row is; drawn so, each counts by what its errors "
    "cost.",
    "none": "No scaling, no class factors: GRPO then sees the costs as they are, and the shares of deployment.",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A design after training, in expectation: `cost` a case in deployment, `found` (n,) the sensitivity by level."""

    design: Design
    scale: Scale
    audit: Audit
    cost: float
    exact: float
    unanswered: float
    found: np.ndarray


def recommend(
    prior: np.ndarray,
    costs: np.ndarray,
    policy: np.ndarray,
    labels: tuple[str, ...] = (),
    urgent: Literal["first", "last", "neither"] = "first",
) -> list[Outcome]:
    """Of the two designs that the costs give first the cheaper, one without an error if there is one; then the others.

    `prior` (n,) are shares in deployment, `costs` (n, n + 1) what each answer costs, abstention last, and `policy`
    (n, n + 1) is the warm start's P(answer | gold). Five levels without names are held beside v46.
    """
    plain = _design(costs, labels, urgent)
    units = Setting(plain, prior, policy, GROUP_SIZE).units[:, 0]
    factors = [round(factor, 2) for factor in np.minimum(units / units.min(), MOST).tolist()]
    sampled = {"name": "recommended-sampled", "oversample": dict(enumerate(factors, start=1))}
    drawn = plain.model_copy(update=sampled)
    tried = [_outcome(plain, "none", prior, costs, policy), _outcome(drawn, "group", prior, costs, policy)]
    tried.sort(key=lambda one: (one.audit.reaches("error"), one.cost))
    beside = [_outcome(load_design("v46"), "group", prior, costs, policy)] if len(prior) == 5 and not labels else []
    return tried + beside


def _design(costs: np.ndarray, labels: tuple[str, ...], urgent: str) -> Design:
    """Rewards from 1 for what costs nothing to -1 for the dearest error; abstention below every answer."""
    n, dearest = len(costs), float(costs[:, :-1].max()) or 1.0
    table = np.round(1 - 2 * costs[:, :n] / dearest, 4) + 0.0
    about = "What errors cost, as a reward: 1 for an answer without cost, -1 for the dearest error."
    values = {"name": "recommended", "about": about, "table": table.tolist(), "labels": labels, "urgent": urgent}
    return Design.model_validate(values | {"no_parse": min(-1.5, float((1 - 2 * costs[:, n] / dearest).min()))})


def _outcome(design: Design, scale: Scale, prior: np.ndarray, costs: np.ndarray, policy: np.ndarray) -> Outcome:
    found = audit(design, prior, policy, GROUP_SIZE, scale)
    rows = found.measured["collapse"]["policy_after"]
    after = np.array([list(row.values()) for row in rows])
    cost, exact = float(prior @ (after * costs).sum(axis=1)), after[:, :-1].diagonal()
    return Outcome(design, scale, found, cost, float(prior @ exact), float(prior @ after[:, -1]), exact)


def trainer_settings(best: Outcome) -> dict[str, Any]:
    """What to give TRL's GRPOConfig with the design."""
    return {"scale_rewards": best.scale, "num_generations": GROUP_SIZE, "mask_truncated_completions": False}


def recommendation_as_text(outcomes: Sequence[Outcome]) -> str:
    """The first outcome, which is recommended, beside the others, the sampling, the settings, and the reasons."""
    best, *others = outcomes
    design = best.design
    factors = [f"{design.label(k)} ×{factor:g}" for k, factor in design.oversample.items() if factor != 1]
    finds = "".join(f"{'finds ' + design.label(level):>14}" for level in design.levels)
    warned = [f"  - {finding.message}" for finding in best.audit.findings if finding.severity != "note"]
    dearer = listed([f"{one.design.name} ({one.cost:.3f} a case)" for one in others])
    lines = [
        f"Cheapest by these costs: {design.name}, audit {best.audit.verdict}",
        "",
        f"Expected after {PROMPTS} prompts. {CAVEAT}",
        f"{'':32}{'cost a case':>12}{'exact':>9}{'no answer':>11}  {finds}",
        *map(_row, outcomes),
        "",
        *(["What its audit warns of:", *warned, ""] if warned else []),
        f"sampling   {', '.join(factors) or 'cases as they occur'}",
        f"trainer    {', '.join(f'{key}={value!r}' for key, value in trainer_settings(best).items())}",
        "",
        "Why:",
        f"  {WHY[best.scale]}",
        f"  It ends at {best.cost:.3f} a case; held beside it: {dearer}.",
        "  No answer pays less than every answer, so that opting out is never best.",
        "  Truncated completions are not masked: a policy that never ends would get no gradient at all.",
    ]
    return "\n".join(lines)


def _row(one: Outcome) -> str:
    name = f"{one.design.name}, {one.audit.verdict}"
    shares = "".join(f"{short_percent(share):>14}" for share in one.found)
    return f"{name:32}{one.cost:>12.3f}{short_percent(one.exact):>9}{short_percent(one.unanswered):>11}  {shares}"


def recommendation_as_json(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The design, its audit, the settings, and every outcome."""
    best = outcomes[0]
    return {
        "caveat": CAVEAT,
        "design": best.design.model_dump(),
        "trainer": trainer_settings(best),
        "outcomes": [_plain(one) for one in outcomes],
        "audit": best.audit.to_dict(),
    }


def _plain(one: Outcome) -> dict[str, Any]:
    return {
        "design": one.design.name,
        "verdict": one.audit.verdict,
        "scale_rewards": one.scale,
        "cost": one.cost,
        "exact": one.exact,
        "no_answer": one.unanswered,
        "sensitivity": {one.design.label(k): float(one.found[k - 1]) for k in one.design.levels},
    }
