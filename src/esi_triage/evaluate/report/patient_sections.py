"""Report sections E and F: outcomes after triage, and subgroups of patients."""

from typing import Any

from ...page import interval
from .tables import NOT_DEFINED, Section, Table, number, points, said

FEW = "“Few cases”: under 30, where the interval is too wide to show anything but a very large difference."
_FIGURES = {
    "exact": "exact",
    "under_triage_or_silent": "under-triage or no answer",
    "over_triage": "over-triage",
    "outcome_sensitivity": "placed in 1–2",
}


def outcomes(model: str, m: dict[str, Any]) -> Section | None:
    """E. How well levels rank what came after triage, each less the gold level."""
    if "outcomes" not in m:
        return None
    found, unknown = m["outcomes"]["by_outcome"], m["outcomes"].get("not_recorded")
    left_out = f"No value for these cases, left out: {', '.join(map(_words, unknown))}." if unknown else ""
    if not found:
        return Section("E. Outcomes after triage", f"From {m['outcomes']['file']}. {left_out}")
    gold = ", ".join(m.get("by_gold_source", {})) or "gold"
    lead = " ".join(_verdict(model, name, o, gold) for name, o in found.items())
    every = [
        (f"{_words(name)} ({o['events']} of {o['n']})", who, row)
        for name, o in found.items()
        for who, row in o["rows"].items()
    ]
    levels = [
        [
            outcome,
            f"{who} ({gold})" if "differences" not in row else said(who),
            number(row["auroc"]),
            number(row["auprc"]),
            interval(row["placed_3_to_5"]),
        ]
        for outcome, who, row in every
    ]
    less = [
        [outcome, said(who), number(d["auroc"], True), number(d["auprc"], True), points(d["placed_3_to_5"])]
        for outcome, who, row in every
        if (d := row.get("differences"))
    ]
    missed = "with the outcome, placed in 3–5"
    tables = [
        Table(["outcome", "level by", "AUROC", "AUPRC", missed], levels, (1,)),
        Table(["less the gold level", "level by", "AUROC", "AUPRC", "placed in 3–5 (points)"], less, (1,)),
    ]
    note = (
        f"From {m['outcomes']['file']}; outcomes happen after triage, and no model sees them. Models that give "
        "probabilities rank by their expected level, others by their level. No answer counts against the model: it "
        "ranks last where the outcome came and first where it did not. Differences are paired on the same resamples of "
        f"{m['intervals'].get('clusters', 'patients')}."
    )
    missing = ", ".join(f"{o['missing']} for {_words(name)}" for name, o in found.items() if o["missing"])
    note += f" Outcome not recorded, left out: {missing}." if missing else ""
    return Section("E. Outcomes after triage", lead, tables, ("outcomes",), f"{note} {left_out}".rstrip())


def _words(outcome: str) -> str:
    return outcome.replace("_", " ")


def _verdict(model: str, outcome: str, o: dict[str, Any], gold: str) -> str:
    """One sentence: does the model's level rank this outcome better than the gold level does?"""
    name, d = _words(outcome), o["rows"][model]["differences"]["auroc"]
    if d["value"] is None or d["low"] is None:
        return f"{name.capitalize()}: {o['events']} cases, nothing can be ranked."
    better = "better than" if d["low"] > 0 else "worse than" if d["high"] < 0 else "not shown to differ from"
    return f"{name.capitalize()}: ranking {better} the gold level's ({gold}), AUROC {number(d, True)}."


def subgroup_comparison(m: dict[str, Any]) -> Section:
    """F. Each subgroup, and its differences to all other cases."""
    found = m["subgroups"]
    outcome = found["outcome"]
    shares = {"exact": "exact", "under_triage": "under-triage", **_FIGURES}
    if not outcome:
        shares.pop("outcome_sensitivity")
    head = ["", "n", *shares.values(), ""]
    if outcome:
        head[-2] = f"with {_words(outcome)}, placed in 1–2"
    rows = [
        [_name(row), str(row["n"]), *(interval(row[name]) for name in shares), "few cases" if row["few"] else ""]
        for row in found["rows"]
    ]
    names = [name for name in _FIGURES if name in shares]
    differences = [
        [_name(row), *(_difference(row["differences"].get(name)) for name in names)]
        for row in found["rows"]
        if row["differences"]
    ]
    tables = [
        Table(head, rows),
        Table(["less all other cases (points)", *(shares[name] for name in names)], differences),
    ]
    compared, by_chance = found["compared"], found["compared"] * 0.05
    note = (
        f"{FEW} * the interval leaves out 0; ** also after Holm over the {compared} differences of this table: of as "
        f"many, {by_chance:.0f} would carry a star by chance. Not adjusted for the mix of levels in each group."
    )
    return Section("F. Subgroups", _seen(found), tables, note=note)


def _seen(found: dict[str, Any]) -> str:
    """The differences that hold after Holm, in words."""
    seen = [
        f"{_name(row)}: {_FIGURES[name]} {points(d)} points (n = {row['n']})"
        for row in found["rows"]
        for name, d in row["differences"].items()
        if d["significant"]
    ]
    if not seen:
        return "No subgroup is shown to differ from all other cases (after Holm)."
    return f"Different from all other cases, after Holm: {'; '.join(seen)}."


def _name(row: dict[str, Any]) -> str:
    return f"{row['group']}: {row['name']}"


def _difference(figure: dict[str, Any] | None) -> str:
    if figure is None or figure["low"] is None:
        return NOT_DEFINED
    mark = " **" if figure["significant"] else "" if figure["low"] <= 0 <= figure["high"] else " *"
    return points(figure) + mark
