"""What holds of the patient now: the findings that count, and those that follow from numbers (fever, low oxygen)."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ..catalogue import Entry, entries, rules
from ..decision import Version
from ..findings import Evidence, Finding, Findings
from .conditions import Condition, holds
from .vital_limits import ADULT_MONTHS, Band, band_of, crossings


@dataclass(frozen=True)
class PatientFacts:
    """`present` holds names of entries; `shown` the finding or the reading behind each; `measures` may be null."""

    findings: Findings
    version: Version
    measures: dict[str, float | None]
    present: frozenset[str] = frozenset()
    shown: dict[str, tuple[Evidence, ...]] = field(default_factory=dict)

    @property
    def age_months(self) -> float:
        """Age in months; an adult's where it is not recorded."""
        age = self.findings.age_months
        return ADULT_MONTHS if age is None else age

    def band(self, bands: list[Band]) -> Band:
        """The age band that holds the patient: from <= age < below."""
        return band_of(bands, self.findings.age_months)

    def value(self, name: str) -> float | None:
        """A measure by its short name (`conditions.MEASURES`)."""
        return self.measures[name]

    def holds(self, condition: Condition) -> bool | None:
        """Three-valued truth of a catalogue condition.

        Where the age is not recorded, what holds of an adult is taken to hold; what would hold of a child stays open.
        """
        truth = holds(condition, self.present, self.measures)
        as_adult = truth is None and holds(condition, self.present, self.measures | {"age": self.age_months / 12})
        return True if as_adult else truth

    def active(self) -> Iterator[tuple[Entry, Finding]]:
        """Entries that are, or may be, true of the patient now; what has always been so is left out."""
        return ((entries()[item.name], item) for item in self.findings.with_status("present", "possible"))

    def derived(self) -> Iterator[tuple[Entry, Finding]]:
        """Entries that hold without being said: from a number, from age and sex, or implied by another entry."""
        said = {item.name for item in self.findings.with_status("present", "possible")}
        for name in sorted(self.present - said):
            entry = entries()[name]
            yield entry, Finding(name, entry.label, "present", self.shown.get(name, ()))

    @property
    def stated(self) -> frozenset[str]:
        """What holds now and what has always been so."""
        return self.present | {item.name for item in self.findings.with_status("baseline")}

    def evidence(self, *measured: str) -> tuple[Evidence, ...]:
        """The spans of those readings, in the order asked for."""
        return tuple(self.findings.measured[name] for name in measured if name in self.findings.measured)


def gather(findings: Findings, version: Version) -> PatientFacts:
    """Findings as facts, without those that an `unless` of the catalogue takes back ("sleepy", but "A&Ox4")."""
    facts = _gathered(findings, version)
    void = {name for name in facts.present if any(facts.holds(condition) for condition in entries()[name].unless)}
    if void.isdisjoint(item.name for item in findings.items):
        return facts
    kept = tuple(item for item in findings.items if item.name not in void)
    return _gathered(replace(findings, items=kept), version)


def _gathered(findings: Findings, version: Version) -> PatientFacts:
    """Findings as facts, closed under `implies` and with what the numbers say added."""
    present = {item.name for item in findings.with_status("present", "possible")}
    shown = {item.name: item.evidence for item in findings.with_status("present", "possible")}
    for item in findings.with_status("past"):
        for name in entries()[item.name].past_implies:
            present.add(name)
            shown.setdefault(name, item.evidence)
    always = {item.name for item in findings.with_status("baseline")}
    facts = PatientFacts(findings, version, _measures(findings))
    for name, measured in (*_by_person(findings), *_by_numbers(facts, present | always)):
        present.add(name)
        shown.setdefault(name, facts.evidence(*measured))
    for name in list(present):
        for implied in _implied(name):
            present.add(implied)
            shown.setdefault(implied, shown[name])
    facts = PatientFacts(findings, version, facts.measures, frozenset(present), shown)
    return _with_severe_pain(facts)


def _measures(findings: Findings) -> dict[str, float | None]:
    v = findings.vitals
    rate, pressure = v.heart_rate, v.sbp
    return {
        "age": None if findings.age_months is None else findings.age_months / 12,
        "temp": v.temperature_c,
        "hr": rate,
        "rr": v.resp_rate,
        "spo2": v.spo2,
        "sbp": pressure,
        "dbp": v.dbp,
        "pain": v.pain,
        "gcs": findings.gcs,
        "glucose": findings.glucose_mg_dl,
        "shock_index": rate / pressure if rate and pressure else None,
    }


def _by_person(findings: Findings) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Names that follow from age and sex."""
    fertile = rules("limits")["fertile_age_months"]
    if findings.sex == "F" and findings.age_months is not None and fertile[0] <= findings.age_months < fertile[1]:
        yield "female-fertile", ("age",)


_BEYOND_LIMIT = {"heart_rate": "tachycardia", "resp_rate": "tachypnea", "spo2": "low-oxygen"}


def _by_numbers(facts: PatientFacts, stated: set[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Names that follow from readings. `stated` holds what the words say, for the patient's baseline of oxygen."""
    findings, m = facts.findings, facts.measures
    for crossing in crossings(findings.age_months, findings.vitals, facts.version):
        if crossing.sign != "spo2" or not at_baseline(crossing.value, stated):
            yield _BEYOND_LIMIT[crossing.sign], (crossing.sign,)
    risky = facts.band(rules("limits")["high_risk"]["bands"])
    if m["temp"] is not None and m["temp"] > 38.0:
        yield "fever", ("temperature_c",)
    if m["sbp"] is not None and m["sbp"] < risky["sbp_below"]:
        yield "hypotension", ("sbp",)
    if m["pain"] is not None and m["pain"] >= rules("policy")["pain"]["severe_from"]:
        yield "severe-pain-rated", ("pain",)


def at_baseline(spo2: float, stated: set[str] | frozenset[str]) -> bool:
    """True when low oxygen is stated to be this patient's baseline and is not far below anybody's."""
    policy = rules("policy")["oxygen"]
    return spo2 >= policy["baseline_floor"] and not stated.isdisjoint(policy["baseline"])


def _implied(name: str) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for implied in entries()[waiting.pop()].implies - found:
            found.add(implied)
            waiting.append(implied)
    return found


def _with_severe_pain(facts: PatientFacts) -> PatientFacts:
    """Add `severe-pain` where a severe rating or severe words are corroborated and not contradicted (rules/policy)."""
    policy = rules("policy")["pain"]
    rated = facts.present & {"severe-pain-rated", "severe-pain-words"}
    agrees = not facts.present.isdisjoint(policy["agrees"])
    if not rated or not agrees or not facts.present.isdisjoint(policy["contradicts"]):
        return facts
    spans = tuple(e for name in (*sorted(rated), *policy["agrees"]) for e in facts.shown.get(name, ()))
    shown = facts.shown | {"severe-pain": spans}
    return PatientFacts(facts.findings, facts.version, facts.measures, facts.present | {"severe-pain"}, shown)
