"""The section on hand-over: what a person is given, whether sets hold their promise, and what is kept at what risk."""

from typing import Any

from ...page import interval
from ...predict.guard.hand_over import in_words
from .tables import Section, Table


def hand_over_section(m: dict[str, Any]) -> Section | None:
    """Null for a model that gives neither probabilities, sets nor reasons."""
    h = m.get("hand_overs")
    if not h:
        return None
    tables = []
    if by := h.get("hand_over"):
        tables += [_kept_table("", [("answer stands", by["kept"]), ("handed over", by["handed"])]), _reasons(by)]
    if sets := h.get("set_coverage"):
        tables.append(_sets(sets))
    if curve := h.get("kept_by_trust"):
        tables.append(_kept_table("most probable answers", [(f"{p['coverage']:.2f}", p) for p in curve]))
    note = (
        "Sets and probabilities hold what they promise for cases like those of the calibration alone. ESI 1-2 called 3 "
        "to 5 is a share of all kept cases; no level counts as called so."
    )
    figures = ("kept",) if h.get("kept_by_trust") else ()
    return Section("M. Hand-over and sets", tables=tables, figures=figures, note=note)


def _kept_table(title: str, rows: list[tuple[str, dict[str, Any]]]) -> Table:
    head = [title, "n", "coverage", "exact", "ESI 1-2 called 3-5"]
    return Table(
        head,
        [
            [name, str(p["exact"]["n"]), f"{p['coverage']:.2f}", interval(p["exact"]), interval(p["missed_urgent"])]
            for name, p in rows
        ],
    )


def _reasons(by: dict[str, Any]) -> Table:
    rows = [[in_words([code])[0], interval(share)] for code, share in by["by_reason"].items()]
    return Table(["why a person decides", "share of cases"], rows, words=(0,))


def _sets(sets: dict[str, Any]) -> Table:
    rows = [
        [
            "all" if name == "all" else f"ESI-{name}",
            str(s["covered"]["n"]),
            interval(s["covered"]),
            "–" if s["mean_size"] is None else f"{s['mean_size']:.2f}",
        ]
        for name, s in sets.items()
    ]
    return Table(["gold level", "n", "set holds the gold level", "mean levels in a set"], rows)
