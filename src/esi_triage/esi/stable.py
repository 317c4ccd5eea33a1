"""Decision points C (how many kinds of resource) and D (vital signs that raise the level)."""

from dataclasses import dataclass

from .catalogue import Entry, entries, rules
from .conditions import holds
from .decision import Step
from .facts import Facts
from .findings import Evidence, Finding, Status
from .urgent import fever_rows


@dataclass(frozen=True)
class Resources:
    """Kinds of resource expected (`usual`), the fewest that are certain and the most that some would use."""

    usual: frozenset[str]
    at_least: int
    at_most: int
    known: bool
    evidence: tuple[Evidence, ...]


def level_of(count: int) -> int:
    """0 kinds of resource is level 5, 1 is 4, two or more is 3 (v4 and v5, ch. 2 and 5)."""
    return 5 - min(count, 2)


def expected_resources(facts: Facts) -> Resources:
    """Union over the complaints, each kind once; complaints that another one explains (`covers`) bring none."""
    met = _met(facts, "present", "possible")
    if not any(_is_complaint(entry) for entry, _ in met):  # what has always been so is looked into only when it is all
        met += _met(facts, "baseline")
    derived = list(facts.derived())
    covered = {name for entry, _ in (*met, *derived) for name in entry.covers}
    counted = [(entry, item) for entry, item in (*met, *derived) if entry.name not in covered]
    usual: set[str] = set()
    possible: set[str] = set()
    spans: list[Evidence] = []
    for entry, item in counted:
        needs, may = _needs(entry, facts)
        usual |= needs
        possible |= needs | may
        if _is_complaint(entry):
            spans += item.evidence
    known = any(_is_complaint(entry) for entry, _ in met)
    expected = _as_announced(frozenset(usual), counted, facts)
    at_least = len(expected & _certain(counted, facts))
    return Resources(expected, at_least, len(possible), known, tuple(dict.fromkeys(spans)))


def _certain(counted: list[tuple[Entry, Finding]], facts: Facts) -> set[str]:
    """Kinds that nobody would leave out.

    What is usual for the complaint is not among them where the note has a plan of its own, or the patient is seen to be
    at ease (rules/policy.toml).
    """
    policy = rules("policy")["resources"]
    usual_is_certain = not _announced(counted, facts) and facts.present.isdisjoint(policy["usual_is_doubtful"])
    return {
        kind
        for entry, _ in counted
        if usual_is_certain or _stands_alone(entry)
        for kind in _needs(entry, facts)[0] - entry.may_skip
    }


def _announced(met: list[tuple[Entry, Finding]], facts: Facts) -> bool:
    return any(entry.system == "stated_resources" and _needs(entry, facts)[0] for entry, _ in met)


def calm(facts: Facts) -> bool:
    """True where the note has a plan of its own, or the patient is seen to be at ease or said to be well."""
    seen = not facts.present.isdisjoint(rules("policy")["high_risk"]["doubtful_where"])
    return seen or _announced(_met(facts, "present", "possible"), facts)


def _stands_alone(entry: Entry) -> bool:
    """True where the resources hold however the patient feels: announced, or needed for a test, a wound or a device."""
    return entry.system == "stated_resources" or entry.name in rules("policy")["resources"]["needed_anyway"]


def _as_announced(usual: frozenset[str], counted: list[tuple[Entry, Finding]], facts: Facts) -> frozenset[str]:
    """What the note itself announces where it says that this is all; what is usual otherwise (rules/policy.toml)."""
    policy = rules("policy")["resources"]
    if not facts.present.isdisjoint(policy["announced_is_all"]):
        kept: set[str] = set()
    elif not facts.present.isdisjoint(policy["nothing_felt"]):
        kept = set(policy["needed_anyway"])
    else:
        return usual
    return frozenset(
        kind
        for entry, _ in counted
        if entry.system == "stated_resources" or entry.name in kept
        for kind in _needs(entry, facts)[0]
    )


def _met(facts: Facts, *statuses: Status) -> list[tuple[Entry, Finding]]:
    met = ((entries()[item.name], item) for item in facts.findings.with_status(*statuses))
    return [(entry, item) for entry, item in met if entry.kind != "intervention"]


def _is_complaint(entry: Entry) -> bool:
    return entry.kind in ("complaint", "request")


def _needs(entry: Entry, facts: Facts) -> tuple[frozenset[str], frozenset[str]]:
    """The first variant that holds; where the age is not recorded, an adult's needs."""
    measures = facts.measures | {"age": facts.age_months / 12}
    for variant in entry.variants:
        if holds(variant.when, facts.present, measures):
            return variant.resources, variant.may_need
    return entry.resources, entry.may_need


def step_c(resources: Resources) -> tuple[Step, int, frozenset[int]]:
    """Point C, the candidate level and the candidates that stay open."""
    if not resources.known:
        policy = rules("policy")["unknown"]
        low, high = max(policy["resources_low"], len(resources.usual)), policy["resources_high"]
        open_levels = frozenset(range(level_of(max(low, high)), level_of(low) + 1)) | set(policy["open_besides"])
        reason = "no complaint that the catalogue knows: the resources cannot be told"
        return Step("C", "undetermined", reason), min(policy["level"], level_of(low)), open_levels
    count = len(resources.usual)
    level, best = level_of(count), level_of(max(count, resources.at_most))
    worst = level_of(min(count, resources.at_least))
    what = ", ".join(sorted(resources.usual)) or "none"
    reason = f"{count} kind{'' if count == 1 else 's'} of resource expected: {what} (ch. 5)"
    answer = "yes" if worst == 3 else ("undetermined" if best == 3 else "no")
    return Step("C", answer, reason, resources.evidence), level, frozenset(range(best, worst + 1))


def step_d(facts: Facts, candidate: int) -> tuple[Step, int]:
    """Point D and the level it leaves. "Consider" is judged by rules/policy.toml, [danger_zone].

    "undetermined" with a limit crossed means that level 2 was considered and is left possible.
    """
    limits, policy = rules("limits")[facts.version], rules("policy")["danger_zone"]
    fever_level = _fever_level(facts)
    level = min(candidate, fever_level)
    if candidate not in limits["raises"]:
        return Step("D", "no", f"{facts.version} does not apply point D to level {candidate}"), level
    beyond = _beyond(facts)
    spans = facts.evidence(*(measured for _, _, measured in beyond))
    said = ", ".join(text for text, _, _ in beyond)
    if _raises(facts, [margin for _, margin, _ in beyond]):
        return Step("D", "yes", f"beyond the limits for age: {said} (ch. 6)", spans), 2
    if beyond:
        return Step("D", "undetermined", f"{said}: considered, not enough alone to raise (policy.toml)", spans), level
    if fever_level < candidate:
        return Step("D", "yes", "fever limit for age (ch. 6)", facts.evidence("temperature_c")), level
    return _without_crossing(facts, candidate, policy["missing_may_raise"]), level


def _without_crossing(facts: Facts, candidate: int, may_raise: list[int]) -> Step:
    missing = [name for name in ("hr", "rr") if facts.value(name) is None]
    if not missing or "vitals-normal" in facts.present:
        return Step("D", "no", "the vital signs recorded are within the limits for age (ch. 6)")
    answer = "undetermined" if candidate in may_raise else "no"
    return Step("D", answer, f"not recorded: {', '.join(missing)}; nothing recorded is beyond a limit")


def _beyond(facts: Facts) -> list[tuple[str, str, str]]:
    """Limits crossed as (words, "yes" where one sign is enough, measure)."""
    limits, policy = rules("limits")[facts.version], rules("policy")["danger_zone"]
    band = facts.band(limits["bands"])
    found: list[tuple[str, str, str]] = []
    for name, measured, label, margin in (
        ("hr", "heart_rate", "heart rate", policy["heart_rate_margin"]),
        ("rr", "resp_rate", "respiratory rate", policy["resp_rate_margin"]),
    ):
        value, limit = facts.value(name), band[f"{name}_above"]
        if value is not None and value > limit:
            found.append((f"{label} {value:g} > {limit:g}", "yes" if value > limit + margin else "", measured))
    spo2 = facts.value("spo2")
    if spo2 is not None and spo2 < limits["spo2_below"] and "low-oxygen" in facts.present:  # else it is the own norm
        found.append((f"SpO2 {spo2:g} % < {limits['spo2_below']} %", "yes", "spo2"))
    return found


def _raises(facts: Facts, margins: list[str]) -> bool:
    policy = rules("policy")["danger_zone"]
    needed = policy["frail_signs_needed"] if "frail" in facts.present else policy["signs_needed"]
    return "yes" in margins or len(margins) >= needed


def _fever_level(facts: Facts) -> int:
    """The worst level that the paediatric fever table allows; 5 where it does not speak."""
    sourced = "fever-source" in facts.present and "under-immunised" not in facts.present
    return min(
        (row["at_most"] for row, _ in fever_rows(facts) if not (row.get("unless_source") and sourced)), default=5
    )
