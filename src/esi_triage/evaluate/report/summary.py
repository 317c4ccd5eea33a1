"""The top of a report: the main figures beside the baselines, and what was evaluated on what."""

from collections.abc import Mapping
from typing import Any

from ...page import interval, percent
from ...train.bases import BASES
from ..identity import NOT_KNOWN
from ..scoring_log import in_words
from .tables import SCALES, Section, Table, points, said

_LABELLED_BY = {
    "nurse": "a triage nurse",
    "expert-confirmed": "a nurse, confirmed by experts",
    "expert-consensus": "a consensus of experts",
    "handbook": "the ESI handbook",
    "engine": "the ESI engine of esi-triage (agreement with rules, not accuracy against people)",
    "band": "the band that a made-up case was written for",
    "model-consensus": "a consensus of models (not people)",
}
_SHORT = {"random": "chance", "rules": "rules", "human": "nurse at triage"}


def summary(model: str, m: dict[str, Any]) -> Section:
    """Answers what a reader asks first: how good, against what, on what, learned from what."""
    return Section("Summary", " ".join(_verdict(m)), [_main_figures(model, m), _what(model, m)], ("summary",))


def compared(model: str, m: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The rows of the main figures by name: the model, the best constant, and every other baseline."""
    best = f"constant:{m['best_constant']['level']}"
    others = [name for name in m["baselines"] if not name.startswith("constant:") and name != model]
    return {model: m} | {_SHORT.get(name, said(name)): m["baselines"][name] for name in (best, *others)}


def trivial_rows(m: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The figures of the best constant, of chance, of the rules and of the nurse: those of every model on one set."""
    best = f"constant:{m['best_constant']['level']}"
    names = (best, *(name for name in _SHORT if name in m["baselines"]))
    return {_SHORT.get(name, said(name)): m["baselines"][name] for name in names}


def _main_figures(model: str, m: dict[str, Any]) -> Table:
    urgent = m["high_acuity_sensitivity"]["n"]
    head = ["", f"exact (n = {m['n']})", f"sensitivity for levels 1–2 (n = {urgent})"]
    rows = compared(model, m).items()
    return Table(head, [[name, interval(row["exact"]), interval(row["high_acuity_sensitivity"])] for name, row in rows])


def _verdict(m: dict[str, Any]) -> list[str]:
    constant, margin = f"always ESI-{m['best_constant']['level']}", m["margin_over_best_constant"]
    told = f"Exact on {percent(m['exact']['value'])} of {m['n']} cases: "
    if margin["low"] is None or margin["low"] <= 0 <= margin["high"]:
        told += f"not shown to differ from {constant} ({points(margin)} points)."
    else:
        told += f"{points(margin)} points against {constant}, the best constant answer."
    found = m["high_acuity_sensitivity"]
    if found["value"] is not None:
        told += f" Of {found['n']} cases of levels 1–2 it places {interval(found)} there; the others it rates less "
        told += "urgent or not at all."
    return [told, *_warnings(m)]


def _warnings(m: dict[str, Any]) -> list[str]:
    """What must be known before the figures are believed."""
    warnings = []
    base = BASES.get(m.get("settings", {}).get("base", ""))
    if base and base.notice:
        warnings.append(f"Note: {base.notice}.")
    if seen := m.get("splits", {}).get("train"):
        warnings.append(f"Note: {seen} cases are of the split train, which a model may have learned by heart.")
    if m.get("scale", "esi") != "esi":
        warnings.append(f"Note: the gold levels are of the {SCALES[m['scale']]} scale, not ESI.")
    return warnings


def _what(model: str, m: dict[str, Any]) -> Table:
    by = "; ".join(f"{_LABELLED_BY.get(name, name)} ({f['n']})" for name, f in m["by_gold_source"].items())
    splits = ", ".join(f"{name} ({n})" for name, n in m.get("splits", {}).items() if name != "none")
    rows = [
        ["evaluated", model],
        ["trained on", m.get("settings", {}).get("trained_on", NOT_KNOWN)],
        ["cases", f"{m['n']} of {m.get('cases_file', 'the held-out cases')}{_left_out(m)}"],
        ["source", ", ".join(m.get("sources", [])) or NOT_KNOWN],
        ["split", splits or "none"],
        ["gold levels by", by or NOT_KNOWN],
    ]
    if use := m.get("ledger"):
        rows.append(["scored", in_words(use)])
    return Table(["", ""], rows, words=(1,))


def _left_out(m: dict[str, Any]) -> str:
    if not (rows := m.get("rows")):
        return ""
    left = {"without_gold": "without a gold level", "bad": "bad", "other_split": "of other splits"}
    told = [f"{rows[name]} {said}" for name, said in left.items() if rows.get(name)]
    return f" ({rows['in']} rows{': left out ' + ', '.join(told) if told else ''})"
