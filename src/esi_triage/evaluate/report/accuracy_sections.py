"""Report sections A to D: accuracy, direction of errors, levels, and comparison with trivial baselines."""

from typing import Any

from ...page import interval, percent
from .card_claims import card_results, on_the_card_s_cases
from .tables import NOT_DEFINED, SCALES, Section, Table, number, points, said

_AGREEMENT = {
    "qwk": "quadratic-weighted kappa",
    "ac2": "Gwet's AC2 (linear)",
    "macro_f1": "macro-F1",
    "macro_mae": "macro-averaged error (levels)",
}
_EXTRA = {
    "no_parse": "no parseable answer",
    "no_reply": "no reply",
    "strict_format": "full format kept (strict)",
    "truncated": "cut off at the token limit",
}
_ERRORS = {
    "under_triage": "under-triage (less urgent than gold)",
    "under_triage_or_silent": "under-triage or no answer",
    "over_triage": "over-triage (more urgent than gold)",
    "two_or_more": "wrong by two or more, or no answer",
    "severe_under_triage": "gold 1–2 answered as 4–5, or no answer",
    "esi1_sensitivity": "sensitivity for ESI 1",
    "esi1_specificity": "specificity for ESI 1",
    "high_acuity_sensitivity": "sensitivity for ESI 1–2",
    "high_acuity_specificity": "specificity for ESI 1–2",
}


def accuracy(model: str, m: dict[str, Any]) -> Section:
    """A. The headline figures, beside those of the best constant policy."""
    constant, answered = _constant_figures(m), m["complete_case"]
    shares = {"exact": "exact", "within_one": "within one level"}
    rows = [
        [label, interval(m[name]), interval(constant[name]), interval(answered[name])] for name, label in shares.items()
    ]
    rows += [
        [label, number(m[name]), number(constant[name]), number(answered[name])] for name, label in _AGREEMENT.items()
    ]
    rows += [[label, interval(m[name]), NOT_DEFINED, NOT_DEFINED] for name, label in _EXTRA.items() if name in m]
    if "strict_parse" in m:
        rows.insert(1, ["exact, strict parsing only", interval(m["strict_parse"]["exact"]), NOT_DEFINED, NOT_DEFINED])
    margin = points(m["margin_over_best_constant"])
    lead = f"Exact on {percent(m['exact']['value'])} of {m['n']} cases: {margin} points against {_constant(m)}."
    note = (
        "No parseable answer is wrong in the first two columns of figures. The last leaves such cases out, as many "
        f"publications do: read it second, it rests on {answered['n']} cases."
    )
    table = Table(["", model, _constant(m), "answered cases only"], rows)
    return Section(
        "A. Overall accuracy", _scale(m) + lead, [table, *_beside_the_card(m), *_weighted(model, m)], note=note
    )


def _beside_the_card(m: dict[str, Any]) -> list[Table]:
    """The model card's own rows, where the cases are the card's."""
    if not on_the_card_s_cases(m):
        return []
    shares = ("exact", "within_one", "no_parse")
    rows = [
        [f"{run}{', about' if row['about'] else ''}"]
        + [interval(row[name]) if name in row else NOT_DEFINED for name in shares]
        for run, row in card_results().items()
    ]
    return [Table(["model card, on the same cases", "exact", "within one level", "no parseable answer"], rows)]


def _scale(m: dict[str, Any]) -> str:
    scale = m.get("scale", "esi")
    if scale == "esi":
        return ""
    return (
        f"The gold levels are of the {SCALES[scale]} scale, not ESI: levels with one number need not mean the same, "
        "and these figures must not be pooled with others. "
    )


def _weighted(model: str, m: dict[str, Any]) -> list[Table]:
    if "weighted" not in m:
        return []
    found, constant = m["weighted"]["model"], m["weighted"]["best_constant"]
    labels = {"exact": "exact", "within_one": "within one level", **_ERRORS}
    rows = [[label, interval(found[name]), interval(constant[name])] for name, label in labels.items()]
    rows += [[label, number(found[name]), number(constant[name])] for name, label in _AGREEMENT.items()]
    return [Table(["survey-weighted", model, _constant(m["weighted"])], rows)]


def error_direction(model: str, m: dict[str, Any]) -> Section:
    """B. Under- and over-triage, and what errors cost."""
    columns = {model: m, _constant(m): _constant_figures(m)}
    columns |= {said(name): m["baselines"][name] for name in ("rules", "human") if name in m["baselines"]}
    if model == "rules":
        columns.pop(said("rules"))
    rows = [[label, *(interval(one[name]) for one in columns.values())] for name, label in _ERRORS.items()]
    rows.append(["expected cost", *(number(one["expected_cost"]) for one in columns.values())])
    sweep = Table(
        ["one level under costs, in levels over", "expected cost"],
        [[ratio, number(figure)] for ratio, figure in m["expected_cost_by_ratio"].items()],
    )
    note = "The cost table is in metrics.json; the sweep shows what its choice decides. Lower is better."
    return Section("B. Under-triage and over-triage", tables=[Table(["", *columns], rows), sweep], note=note)


def by_level(m: dict[str, Any]) -> Section:
    """C. Each level."""
    head = ["level", "gold", "answered", "sensitivity", "within one", "positive predictive value", "F1"]
    rows = [
        [f"{'ESI' if m.get('scale', 'esi') == 'esi' else 'level'} {level}", str(c["gold_n"]), str(c["predicted_n"])]
        + [interval(c[name]) for name in ("sensitivity", "within_one", "ppv")]
        + [number(c["f1"])]
        for level, c in m["per_class"].items()
    ]
    return Section("C. Performance by level", tables=[Table(head, rows)], figures=("confusion", "levels"))


def baseline_comparison(model: str, m: dict[str, Any]) -> Section:
    """D. Each baseline, paired with the model."""
    head = [
        "",
        "exact",
        "kappa",
        "ESI 1–2 sensitivity",
        f"{model} less it, exact (points)",
        "gained / lost",
        "p (Holm)",
    ]
    rows = [[model, *_shown(m), "", "", ""]]
    baselines = m["baselines"].items()
    rows += [[said(name), *_shown(b), points(b["differences"]["exact"]), *_test(b)] for name, b in baselines]
    better = [said(name) for name, b in baselines if name != model and not _beats(b)]
    lead = (
        f"Not shown to be exact more often than: {', '.join(better)}."
        if better
        else f"Exact more often than each of the {len(rows) - 1} (p below 0.05 after Holm)."
    )
    note = (
        "Paired on the same cases. Gained: only this model is right; lost: only the baseline. Exact McNemar test, on "
        "patients or groups where they have several cases; intervals of differences from a paired bootstrap. Chance "
        "is computed, not drawn: its gained and lost are expected numbers, its interval that of the shares of gold."
    )
    return Section("D. Comparison with trivial baselines", lead, [Table(head, rows)], ("comparison",), note)


def _shown(row: dict[str, Any]) -> list[str]:
    return [interval(row["exact"]), number(row["qwk"]), interval(row["high_acuity_sensitivity"])]


def _test(baseline: dict[str, Any]) -> list[str]:
    p = baseline["paired"]
    if p["p_holm"] is None:
        return [f"{p['gained']:.1f} / {p['lost']:.1f}", NOT_DEFINED]
    return [f"{p['gained']} / {p['lost']}", f"{p['p_holm']:.2g}"]


def _beats(baseline: dict[str, Any]) -> bool:
    return baseline["paired"]["significant"] and baseline["paired"]["gained"] > baseline["paired"]["lost"]


def _constant(m: dict[str, Any]) -> str:
    return f"always ESI-{m['best_constant']['level']} (best constant)"


def _constant_figures(m: dict[str, Any]) -> dict[str, Any]:
    return m["baselines"][f"constant:{m['best_constant']['level']}"]
