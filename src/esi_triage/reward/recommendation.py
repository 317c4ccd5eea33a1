"""Which reward to train with: from what errors cost, how common the levels are, and how skilled the warm start is.

The table is what errors cost, so that expected reward is expected cost. Without the group's scaling GRPO sees it as it
is. With it every row counts the same, whatever its errors cost: then a level is drawn in proportion to the spread of
its row at the warm start, which gives the rows their weights back. Of the two the one is taken that ends cheaper.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .audit import Audit, audit
from .audit.finding import listed, short_percent
from .audit.setting import Scale
from .design import Design, load_design
from .simulate import CAVEAT, PROMPTS

GROUP_SIZE = 8
MOST = 20.0  # of a class factor: v45c's, beyond which a level is drawn for its own sake


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


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The outcome that is recommended, and those that were held beside it."""

    best: Outcome
    others: list[Outcome]


def recommend(
    prior: np.ndarray,
    costs: np.ndarray,
    policy: np.ndarray,
    labels: tuple[str, ...] = (),
    urgent: Literal["first", "last", "neither"] = "first",
) -> Recommendation:
    """The cheaper of the two designs that the costs give, one without an error if there is one.

    `prior` (n,) are shares in deployment, `costs` (n, n + 1) what each answer costs, abstention last, and `policy`
    (n, n + 1) is the warm start's P(answer | gold). Five levels without names are held beside v46.
    """
    plain = _design(costs, labels, urgent)
    factors = _factors(plain, prior, policy)
    drawn = plain.model_copy(update={"name": "recommended-sampled", "oversample": factors})
    tried = [_outcome(plain, "none", prior, costs, policy), _outcome(drawn, "group", prior, costs, policy)]
    tried.sort(key=lambda one: (one.audit.reaches("error"), one.cost))
    beside = [_outcome(load_design("v46"), "group", prior, costs, policy)] if len(prior) == 5 and not labels else []
    return Recommendation(tried[0], [*tried[1:], *beside])


def _design(costs: np.ndarray, labels: tuple[str, ...], urgent: str) -> Design:
    """Rewards from 1 for what costs nothing to -1 for the dearest error; abstention below every answer."""
    n, dearest = len(costs), float(costs[:, :-1].max()) or 1.0
    table = np.round(1 - 2 * costs[:, :n] / dearest, 4) + 0.0
    about = "What errors cost, as a reward: 1 for an answer without cost, -1 for the dearest error."
    values = {"name": "recommended", "about": about, "table": table.tolist(), "labels": labels, "urgent": urgent}
    return Design.model_validate(values | {"no_parse": min(-1.5, float((1 - 2 * costs[:, n] / dearest).min()))})


def _factors(design: Design, prior: np.ndarray, policy: np.ndarray) -> dict[int, float]:
    units = audit(design, prior, policy, GROUP_SIZE).setting.units[:, 0]
    factors = np.minimum(units / units.min(), MOST)
    return {level: round(float(factor), 2) for level, factor in enumerate(factors, start=1)}


def _outcome(design: Design, scale: Scale, prior: np.ndarray, costs: np.ndarray, policy: np.ndarray) -> Outcome:
    found = audit(design, prior, policy, GROUP_SIZE, scale)
    rows = found.measured["collapse"]["policy_after"]
    after = np.array([list(row.values()) for row in rows])
    cost, exact = float(prior @ (after * costs).sum(axis=1)), after[:, :-1].diagonal()
    return Outcome(design, scale, found, cost, float(prior @ exact), float(prior @ after[:, -1]), exact)


def trainer_settings(best: Outcome) -> dict[str, Any]:
    """What to give TRL's GRPOConfig with the design."""
    return {"scale_rewards": best.scale, "num_generations": GROUP_SIZE, "mask_truncated_completions": False}


def recommendation_as_text(found: Recommendation) -> str:
    """The table's outcome beside the others, the sampling, the settings, and the reasons."""
    best, design = found.best, found.best.design
    factors = [f"{design.label(k)} ×{factor:g}" for k, factor in design.oversample.items() if factor != 1]
    names = [design.label(level) for level in design.levels]
    head = f"{'':32}{'cost a case':>12}{'exact':>9}{'no answer':>11}  " + "".join(f"{'finds ' + n:>14}" for n in names)
    lines = [
        f"Cheapest by these costs: {design.name}, audit {best.audit.verdict}",
        "",
        f"Expected after {PROMPTS} prompts. {CAVEAT}",
    ]
    lines += [head, *map(_row, [best, *found.others]), ""]
    warned = [f.message for f in best.audit.findings if f.severity != "note"]
    lines += ["What its audit warns of:", *(f"  - {message}" for message in warned), ""] if warned else []
    lines += [f"sampling   {', '.join(factors) or 'cases as they occur'}"]
    lines += [f"trainer    {', '.join(f'{key}={value!r}' for key, value in trainer_settings(best).items())}", ""]
    return "\n".join([*lines, *_reasons(found)])


def _row(one: Outcome) -> str:
    name = f"{one.design.name}, {one.audit.verdict}"
    shares = "".join(f"{short_percent(share):>14}" for share in one.found)
    return f"{name:32}{one.cost:>12.3f}{short_percent(one.exact):>9}{short_percent(one.unanswered):>11}  {shares}"


def _reasons(found: Recommendation) -> list[str]:
    scaled = found.best.scale == "group"
    why = (
        "Class factors: the group's scaling hides how large a row is; drawn so, each counts by what its errors cost."
        if scaled
        else "No scaling, no class factors: GRPO then sees the costs as they are, and the shares of deployment."
    )
    dearer = listed([f"{one.design.name} ({one.cost:.3f} a case)" for one in found.others])
    return [
        "Why:",
        f"  {why}",
        f"  It ends at {found.best.cost:.3f} a case; held beside it: {dearer}.",
        "  No answer pays less than every answer, so that opting out is never best.",
        "  Truncated completions are not masked: a policy that never ends would get no gradient at all.",
    ]


def recommendation_as_json(found: Recommendation) -> dict[str, Any]:
    """The design, its audit, the settings, and every outcome."""
    outcomes = [
        {
            "design": one.design.name,
            "verdict": one.audit.verdict,
            "scale_rewards": one.scale,
            "cost": one.cost,
            "exact": one.exact,
            "no_answer": one.unanswered,
            "sensitivity": {one.design.label(k): float(one.found[k - 1]) for k in one.design.levels},
        }
        for one in (found.best, *found.others)
    ]
    return {
        "caveat": CAVEAT,
        "design": found.best.design.model_dump(),
        "trainer": trainer_settings(found.best),
        "outcomes": outcomes,
        "audit": found.best.audit.to_dict(),
    }
