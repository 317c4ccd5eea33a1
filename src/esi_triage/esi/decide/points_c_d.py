"""Decision points C (how many kinds of resource) and D (vital signs that raise the level)."""

from dataclasses import dataclass

from ..catalogue import Entry, entries, rules
from ..decision import Step
from ..findings import Evidence, Finding, Status
from .conditions import holds
from .patient_facts import PatientFacts
from .vital_limits import Crossing, crossings, fever_rows


@dataclass(frozen=True)
class Resources:
    """Kinds of resource expected (`usual`), the fewest that are certain and the most that some would use."""

    usual: frozenset[str]
    at_least: int
    at_most: int
    known: bool
    evidence: tuple[Evidence, ...]


_RESOURCE_WORDS = {
    "labs": "blood or urine tests",
    "ecg": "ECG",
    "xray": "x-ray",
    "ct": "CT",
    "ultrasound": "ultrasound",
    "iv-fluids": "IV fluids",
    "iv-medication": "IV, IM or nebulised medicine",
    "consult": "specialist consultation",
    "procedure": "procedure",
}


def level_of(count: int) -> int:
    """0 kinds of resource is level 5, 1 is 4, two or more is 3 (v4 and v5, ch. 2 and 5)."""
    return 5 - min(count, 2)


def expected_resources(facts: PatientFacts) -> Resources:
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
    known = any(_is_complaint(entry) or entry.system == "stated_resources" for entry, _ in met)
    expected = _as_announced(frozenset(usual), counted, facts)
    at_least = len(expected & _certain(counted, facts))
    return Resources(expected, at_least, len(possible), known, tuple(dict.fromkeys(spans)))


def _certain(counted: list[tuple[Entry, Finding]], facts: PatientFacts) -> set[str]:
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


def _announced(met: list[tuple[Entry, Finding]], facts: PatientFacts) -> bool:
    return any(entry.system == "stated_resources" and _needs(entry, facts)[0] for entry, _ in met)


def calm(facts: PatientFacts) -> bool:
    """True where the note has a plan of its own, or the patient is seen to be at ease or said to be well."""
    seen = not facts.present.isdisjoint(rules("policy")["high_risk"]["doubtful_where"])
    return seen or _announced(_met(facts, "present", "possible"), facts)


def _stands_alone(entry: Entry) -> bool:
    """True where the resources hold however the patient feels: announced, or needed for a test, a wound or a device."""
    return entry.system == "stated_resources" or entry.name in rules("policy")["resources"]["needed_anyway"]


def _as_announced(usual: frozenset[str], counted: list[tuple[Entry, Finding]], facts: PatientFacts) -> frozenset[str]:
    """What the note itself announces where it says that this is all; what is usual otherwise (rules/policy.toml)."""
    policy = rules("policy")["resources"]
    if not facts.present.isdisjoint(policy["announced_is_all"]):
        kept = {*policy["announced_is_all"], *policy["counted_besides"]}
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


def _met(facts: PatientFacts, *statuses: Status) -> list[tuple[Entry, Finding]]:
    met = ((entries()[item.name], item) for item in facts.findings.with_status(*statuses))
    return [(entry, item) for entry, item in met if entry.kind != "intervention"]


def _is_complaint(entry: Entry) -> bool:
    return entry.kind in ("complaint", "request")


def _needs(entry: Entry, facts: PatientFacts) -> tuple[frozenset[str], frozenset[str]]:
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
        reason = "no complaint was understood, so the resources cannot be told"
        return Step("C", "undetermined", reason), min(policy["level"], level_of(low)), open_levels
    count = len(resources.usual)
    level, best = level_of(count), level_of(max(count, resources.at_most))
    worst = level_of(min(count, resources.at_least))
    what = ", ".join(_RESOURCE_WORDS[kind] for kind in sorted(resources.usual)) or "none"
    reason = f"{count} kind{'' if count == 1 else 's'} of resource expected: {what} (handbook v5, chapter 5)"
    answer = "yes" if worst == 3 else ("undetermined" if best == 3 else "no")
    return Step("C", answer, reason, resources.evidence), level, frozenset(range(best, worst + 1))


def step_d(facts: PatientFacts, candidate: int) -> tuple[Step, int]:
    """Point D and the level it leaves. "Consider" is judged by rules/policy.toml, [danger_zone].

    "undetermined" with a limit crossed means that level 2 was considered and is left possible.
    """
    limits, policy = rules("limits")[facts.version], rules("policy")["danger_zone"]
    fever_level = _fever_level(facts)
    level = min(candidate, fever_level)
    if candidate not in limits["raises"]:
        return Step("D", "no", f"handbook {facts.version} does not apply point D to level {candidate}"), level
    beyond = _beyond(facts)
    spans = facts.evidence(*(crossing.sign for crossing in beyond))
    told = " and ".join(f"{crossing.label} {crossing.value:g} ({crossing.words})" for crossing in beyond)
    cited = f"(handbook {facts.version}, chapter 6)"
    if _raises(facts, beyond):
        return Step("D", "yes", f"{told}: beyond the limits for age {cited}", spans), 2
    if beyond:
        return Step("D", "undetermined", f"{told}: considered, and alone not enough to raise {cited}", spans), level
    if fever_level < candidate:
        return Step("D", "yes", f"fever limit for age {cited}", facts.evidence("temperature_c")), level
    return _without_crossing(facts, candidate, policy["missing_may_raise"]), level


def _without_crossing(facts: PatientFacts, candidate: int, may_raise: list[int]) -> Step:
    missing = [words for name, words in (("hr", "heart rate"), ("rr", "respiratory rate")) if facts.value(name) is None]
    if not missing or "vitals-normal" in facts.present:
        return Step("D", "no", "the vital signs recorded are within the limits for age (handbook v5, chapter 6)")
    answer = "undetermined" if candidate in may_raise else "no"
    return Step("D", answer, f"not recorded: {', '.join(missing)}; nothing recorded is beyond a limit")


def _beyond(facts: PatientFacts) -> list[Crossing]:
    """Limits crossed, without oxygen that is the patient's baseline."""
    found = crossings(facts.findings.age_months, facts.findings.vitals, facts.version)
    return [crossing for crossing in found if crossing.sign != "spo2" or "low-oxygen" in facts.present]


def _raises(facts: PatientFacts, beyond: list[Crossing]) -> bool:
    policy = rules("policy")["danger_zone"]
    margins = {
        "heart_rate": policy["heart_rate_margin"],
        "resp_rate": policy["resp_rate_margin"],
        "spo2": -float("inf"),
    }
    needed = policy["frail_signs_needed"] if "frail" in facts.present else policy["signs_needed"]
    return len(beyond) >= needed or any(each.value > each.limit + margins[each.sign] for each in beyond)


def _fever_level(facts: PatientFacts) -> int:
    """The worst level that the paediatric fever table allows; 5 where it does not speak."""
    sourced = "fever-source" in facts.present and "under-immunised" not in facts.present
    return min(
        (
            row["at_most"]
            for row in fever_rows(facts.findings.age_months, facts.value("temp"), facts.version)
            if not (row.get("unless_source") and sourced)
        ),
        default=5,
    )
