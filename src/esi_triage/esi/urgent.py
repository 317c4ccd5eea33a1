"""Decision points A (life-saving intervention now) and B (high risk, confusion, severe pain or distress)."""

from collections.abc import Iterator
from typing import Any

from .catalogue import rules
from .conditions import Condition
from .decision import Answer, Step
from .facts import Facts, own_norm
from .findings import Evidence

_Reason = tuple[Answer, str, tuple[Evidence, ...]]


def step_a(facts: Facts) -> Step:
    """Point A (v4 ch. 2 and 3, v5 ch. 2 and 3): "yes" is level 1."""
    return _first(
        "A",
        [*_immediate_words(facts), *_immediate_numbers(facts)],
        "nothing stated calls for a life-saving intervention now",
    )


def step_b(facts: Facts) -> Step:
    """Point B (v4 ch. 2 and 4, v5 ch. 2 and 4): "yes" is level 2."""
    reasons = [*_high_risk_words(facts), *_high_risk_numbers(facts), *_pain(facts)]
    return _first("B", reasons, "no high-risk presentation, new confusion or severe distress is stated")


def words_alone(facts: Facts) -> bool:
    """True where no number makes point B yes: what is high risk is so by the words of the note."""
    return all(answer != "yes" for answer, _, _ in _high_risk_numbers(facts))


def _first(point: Any, reasons: list[_Reason], otherwise: str) -> Step:
    """The step that the reasons make: all that say yes, else all that leave it open, else no."""
    for answer in ("yes", "undetermined"):
        said = [reason for reason in reasons if reason[0] == answer]
        if said:
            spans = tuple(dict.fromkeys(span for _, _, evidence in said for span in evidence))
            return Step(point, answer, "; ".join(dict.fromkeys(text for _, text, _ in said)), spans)
    return Step(point, "no", otherwise)


def _immediate_words(facts: Facts) -> Iterator[_Reason]:
    for entry, item in facts.active():
        sure: Answer = "yes" if item.status == "present" else "undetermined"
        if entry.kind == "intervention" and not entry.immediate:
            yield sure, f"{entry.label} ({entry.rule})", item.evidence
            continue
        for condition in entry.immediate:
            truth = facts.holds(condition)
            if truth is not False:
                names = [facts.shown.get(term.name, ()) for term in condition]
                spans = (*item.evidence, *(span for found in names for span in found))
                yield (sure if truth else "undetermined"), f"{entry.label} ({entry.rule})", spans
                break


def _immediate_numbers(facts: Facts) -> Iterator[_Reason]:
    limits = rules("limits")["immediate"]
    band = facts.band(limits["bands"])
    for name, measured, label, at_least, at_most in (
        ("hr", "heart_rate", "heart rate", band["hr_at_least"], band["hr_at_most"]),
        ("rr", "resp_rate", "respiratory rate", float("inf"), band["rr_at_most"]),
        ("gcs", "gcs", "coma scale", float("inf"), limits["gcs_at_most"]),
    ):
        value = facts.value(name)
        if value is None or at_most < value < at_least or (name == "gcs" and "unresponsive-baseline" in facts.present):
            continue
        yield "yes", f"{label} {value:g} (v5 ch. 3; limits.toml)", facts.evidence(measured)
    yield from _shock(facts, band["sbp_below"])
    yield from _oxygen(facts)


def _shock(facts: Facts, sbp_below: float) -> Iterator[_Reason]:
    rule = rules("limits")["hypoperfusion"]
    sbp, index = facts.value("sbp"), facts.value("shock_index")
    if sbp is None:
        return
    if sbp < sbp_below:
        yield "yes", f"profound hypotension, systolic {sbp:g} (v5 ch. 3)", facts.evidence("sbp")
    elif "hypotension" in facts.present and "hypoperfusion" in facts.present:
        spans = (*facts.evidence("sbp"), *facts.shown["hypoperfusion"])
        yield "yes", f"systolic {sbp:g} with signs of hypoperfusion (v5 ch. 3)", spans
    elif (
        facts.age_months >= rule["age_months_from"]
        and sbp <= rule["sbp_at_most"]
        and (index or 0) >= rule["shock_index_at_least"]
    ):
        why = f"pulse over systolic pressure {index:.1f}: shock (v5 ch. 3; limits.toml)"
        yield "yes", why, facts.evidence("heart_rate", "sbp")


def _oxygen(facts: Facts) -> Iterator[_Reason]:
    limits = rules("limits")["immediate"]
    spo2 = facts.value("spo2")
    stated = facts.present | {item.name for item in facts.findings.with_status("baseline")}
    if spo2 is None or spo2 >= limits["spo2_below"] or own_norm(spo2, stated):
        return
    spans = facts.evidence("spo2")
    if facts.version == "v4" or spo2 < limits["spo2_profound_below"]:
        yield "yes", f"oxygen saturation {spo2:g} % (v4 ch. 2)", spans
    elif not facts.present.isdisjoint(limits["spo2_compromise"]):
        why = f"oxygen saturation {spo2:g} %, not the patient's norm, with other compromise (v5 ch. 3)"
        yield "yes", why, spans


def _high_risk_words(facts: Facts) -> Iterator[_Reason]:
    """What is said is high risk by its conditions; what is only derived, by those that name another finding.

    (A saturation of 91 % is left to point D; "hypoxic", in so many words, is not.)
    """
    said = ((entry, item, entry.high_risk) for entry, item in facts.active())
    derived = ((entry, item, _with_others(entry.high_risk)) for entry, item in facts.derived())
    for entry, item, conditions in (*said, *derived):
        best: bool | None = False
        for condition in conditions:
            truth = facts.holds(condition)
            if truth:
                names = [facts.shown.get(term.name, ()) for term in condition]
                spans = (*item.evidence, *(span for found in names for span in found))
                yield "yes", _because(entry.label, entry.rule, condition), spans
                break
            best = None if truth is None else best
        else:
            if best is None:
                yield "undetermined", f"{entry.label}: high risk depends on what is not recorded", item.evidence


def _with_others(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    return tuple(condition for condition in conditions if condition[0].name != "always")


def _because(label: str, rule: str, condition: Condition) -> str:
    terms = [
        f"{t.name} {t.operator} {t.number:g}" if t.operator else ("not " if t.negated else "") + t.name
        for t in condition
    ]
    with_what = "" if terms == ["always"] else f" with {', '.join(terms)}"
    return f"{label}{with_what} ({rule})" if rule else f"{label}{with_what}"


def _high_risk_numbers(facts: Facts) -> Iterator[_Reason]:
    limits = rules("limits")["high_risk"]
    band = facts.band(limits["bands"])
    inf = float("inf")
    for name, measured, label, at_least, below in (
        ("hr", "heart_rate", "heart rate", band["hr_at_least"], band["hr_at_most"] + 0.5),
        ("rr", "resp_rate", "respiratory rate", band["rr_at_least"], -inf),
        ("sbp", "sbp", "systolic pressure", limits["sbp_at_least"], band["sbp_below"]),
        ("dbp", "dbp", "diastolic pressure", limits["dbp_at_least"], -inf),
        ("temp", "temperature_c", "temperature", limits["temp_c_at_least"], limits["temp_c_below"]),
    ):
        value = facts.value(name)
        if value is not None and (value >= at_least or value < below):
            yield "yes", f"{label} {value:g} (v5 ch. 4; limits.toml)", facts.evidence(measured)
    yield from _low_scores(facts)
    yield from _young_fever(facts)


def _low_scores(facts: Facts) -> Iterator[_Reason]:
    limits = rules("limits")["high_risk"]
    gcs, spo2 = facts.value("gcs"), facts.value("spo2")
    if gcs is not None and gcs <= limits["gcs_at_most"] and "unresponsive-baseline" not in facts.present:
        yield "yes", f"coma scale {gcs:g}, taken as new (v5 ch. 4)", facts.evidence("gcs")
    if spo2 is not None and spo2 < limits["spo2_below"] and "low-oxygen" in facts.present:
        yield "yes", f"oxygen saturation {spo2:g} %, not the patient's norm (v5 ch. 3 and 4)", facts.evidence("spo2")


def _young_fever(facts: Facts) -> Iterator[_Reason]:
    for row, temp in fever_rows(facts):
        if row["at_most"] == 2:
            why = f"temperature {temp:g} °C at {facts.age_months:.1f} months ({facts.version} ch. 6)"
            yield "yes", why, facts.evidence("temperature_c", "age")


def fever_rows(facts: Facts) -> Iterator[tuple[dict[str, Any], float]]:
    """The rows of the paediatric fever table that this child's age and temperature meet."""
    temp, age = facts.value("temp"), facts.findings.age_months
    if temp is None or age is None:
        return
    for row in rules("limits")["fever"][facts.version]:
        beyond = temp > row.get("above", float("inf")) or temp < row.get("under", float("-inf"))
        if row["from"] <= age < row["below"] and beyond:
            yield row, temp


def _pain(facts: Facts) -> Iterator[_Reason]:
    policy = rules("policy")["pain"]
    if "severe-pain" in facts.present:
        yield (
            "yes",
            "severe pain or distress that observation or cause bears out (v5 ch. 4)",
            facts.shown["severe-pain"],
        )
    elif "severe-pain-rated" in facts.present and facts.present.isdisjoint(policy["contradicts"]):
        why = (
            f"pain {facts.value('pain') or 10:g}/10 that nothing observed bears out or contradicts (v5 ch. 4: consider)"
        )
        yield "undetermined", why, facts.shown["severe-pain-rated"]
