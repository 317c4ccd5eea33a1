"""What a report says, as data: sections of sentences and tables, which the page and the Markdown file both print.

The letters are those of the project's list of what a serious report holds (A headline ... J use of the test set).
"""

from dataclasses import dataclass, field
from typing import Any

from ..page import interval, percent
from .ledger import in_words

NOT_DEFINED = "–"
_WEAK = "known weaknesses"


@dataclass(frozen=True, slots=True)
class Table:
    """A head and rows of text; `words` are the columns that hold sentences, from 0."""

    head: list[str]
    rows: list[list[str]]
    words: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, sentences before the tables, the tables, the figures by name, and what must be known to read them."""

    title: str
    lead: str = ""
    tables: list[Table] = field(default_factory=list)
    figures: tuple[str, ...] = ()
    note: str = ""


def sections(model: str, m: dict[str, Any]) -> list[Section]:
    """The sections that the figures `m` (metrics.json) allow, in order."""
    made = [
        _headline(model, m),
        _safety(model, m),
        _per_class(m),
        _baselines(model, m),
        _subgroups(m),
        _calibration(m),
        _robustness(m),
        _steps(m),
        _weaknesses(m),
        _use(m),
        _method(m),
    ]
    return [section for section in made if section]


def number(figure: Any, signed: bool = False) -> str:
    """`0.961 (0.902 to 0.990)`: a figure that is no share."""
    if figure["value"] is None or figure["low"] is None:
        return NOT_DEFINED
    form = "{:+.3f}" if signed else "{:.3f}"
    return "{} ({} to {})".format(*(form.format(figure[key]) for key in ("value", "low", "high")))


def points(figure: Any) -> str:
    """`+12.5 (+4 to +21)`: a difference of shares in points of per cent."""
    if figure["value"] is None or figure["low"] is None:
        return NOT_DEFINED
    value, low, high = (100 * figure[key] for key in ("value", "low", "high"))
    return f"{round(value, 1) + 0.0:+.1f} ({round(low) + 0:+d} to {round(high) + 0:+d})"


def _constant(m: dict[str, Any]) -> str:
    return f"always ESI-{m['best_constant']['level']} (best constant)"


def _constant_figures(m: dict[str, Any]) -> dict[str, Any]:
    return m["baselines"][f"constant:{m['best_constant']['level']}"]


def _headline(model: str, m: dict[str, Any]) -> Section:
    constant, answered = _constant_figures(m), m["complete_case"]
    rows = [
        [label, interval(m[name]), interval(constant[name]), interval(answered[name])]
        for name, label in (("exact", "exact"), ("within_one", "within one level"))
    ] + [
        [label, number(m[name]), number(constant[name]), number(answered[name])]
        for name, label in (
            ("qwk", "quadratic-weighted kappa"),
            ("ac2", "Gwet's AC2 (linear)"),
            ("macro_f1", "macro-F1"),
            ("macro_mae", "macro-averaged error (levels)"),
        )
    ]
    rows += [
        [label, interval(m[name]), NOT_DEFINED, NOT_DEFINED]
        for name, label in (
            ("no_parse", "no answer could be read"),
            ("no_reply", "no reply came at all"),
            ("strict_format", "full format kept (strict)"),
            ("truncated", "cut off at the token limit"),
        )
        if name in m
    ]
    if "strict_parse" in m:
        rows.insert(1, ["exact, strict parsing only", interval(m["strict_parse"]["exact"]), NOT_DEFINED, NOT_DEFINED])
    margin = m["margin_over_best_constant"]
    lead = f"Exact on {percent(m['exact']['value'])} of {m['n']} cases: {points(margin)} points against {_constant(m)}."
    note = (
        "Silence is wrong in the first two columns of figures. The last leaves it out, as many publications do: read "
        f"it second, it rests on {answered['n']} cases."
    )
    return Section(
        "A. How often it is right", lead, [Table(["", model, _constant(m), "answered cases only"], rows)], note=note
    )


def _safety(model: str, m: dict[str, Any]) -> Section:
    beside = {model: m, _constant(m): _constant_figures(m)} | (
        {} if model == "rules" else {"rules": m["baselines"]["rules"]}
    )
    shares = {
        "under_triage": "under-triage (less urgent than gold)",
        "under_triage_or_silent": "under-triage or no answer",
        "over_triage": "over-triage (more urgent than gold)",
        "two_or_more": "wrong by two or more, or no answer",
        "severe_under_triage": "gold ESI 1–2 answered as 4–5, or not at all",
        "esi1_sensitivity": "sensitivity, ESI 1",
        "esi1_specificity": "specificity, ESI 1",
        "high_acuity_sensitivity": "sensitivity, ESI 1–2",
        "high_acuity_specificity": "specificity, ESI 1–2",
    }
    rows = [[label, *(interval(one[name]) for one in beside.values())] for name, label in shares.items()]
    rows.append(["expected cost", *(number(one["expected_cost"]) for one in beside.values())])
    sweep = Table(
        ["one level under costs, in levels over", "expected cost"],
        [[ratio, number(figure)] for ratio, figure in m["expected_cost_by_ratio"].items()],
    )
    note = "The cost table is in metrics.json; the sweep shows what its choice decides. Lower is better."
    return Section("B. In which direction it errs", tables=[Table(["", *beside], rows), sweep], note=note)


def _per_class(m: dict[str, Any]) -> Section:
    head = ["level", "gold", "answered", "sensitivity", "within one", "positive predictive value", "F1"]
    rows = [
        [f"ESI {level}", str(c["gold_n"]), str(c["predicted_n"])]
        + [interval(c[name]) for name in ("sensitivity", "within_one", "ppv")]
        + [number(c["f1"])]
        for level, c in m["per_class"].items()
    ]
    return Section("C. Per level", tables=[Table(head, rows)], figures=("confusion", "levels"))


def _baselines(model: str, m: dict[str, Any]) -> Section:
    head = [
        "",
        "exact",
        "kappa",
        "ESI 1–2 sensitivity",
        f"{model} less it, exact (points)",
        "gained / lost",
        "p (Holm)",
    ]
    rows = [[model, interval(m["exact"]), number(m["qwk"]), interval(m["high_acuity_sensitivity"]), "", "", ""]]
    for name, b in m["baselines"].items():
        p = b["paired"]
        rows.append(
            [
                said(name),
                interval(b["exact"]),
                number(b["qwk"]),
                interval(b["high_acuity_sensitivity"]),
                points(b["differences"]["exact"]),
                f"{p['gained']} / {p['lost']}",
                f"{p['p_holm']:.2g}",
            ]
        )
    better = [said(name) for name, b in m["baselines"].items() if name != model and not _beats(b)]
    lead = (
        f"Not shown to be exact more often than: {', '.join(better)}."
        if better
        else f"Exact more often than each of them (Holm-adjusted p below 0.05 over {len(rows) - 1} comparisons)."
    )
    note = (
        "Paired on the same cases. Gained: only this model is right; lost: only the baseline. Exact McNemar test, by "
        "patient where patients have several cases; intervals of differences from a bootstrap over patients."
    )
    return Section("D. Beside what costs nothing", lead, [Table(head, rows)], ("comparison",), note)


def said(name: str) -> str:
    """A baseline's name in words."""
    if name.startswith("constant:"):
        return f"always ESI-{name[-1]}"
    return {"random": "random, by the shares of gold", "rules": "rules (ESI engine)"}.get(name, name)


def _beats(baseline: dict[str, Any]) -> bool:
    return baseline["paired"]["significant"] and baseline["paired"]["gained"] > baseline["paired"]["lost"]


def _slice_table(rows: list[dict[str, Any]]) -> Table:
    head = ["", "n", "exact", "under-triage", "under-triage or no answer", "over-triage", ""]
    return Table(
        head,
        [
            [s["name"] if s["group"] == _WEAK else f"{s['group']}: {s['name']}", str(s["n"])]
            + [interval(s[name]) for name in ("exact", "under_triage", "under_triage_or_silent", "over_triage")]
            + ["no case" if not s["n"] else "few cases" if s["few"] else ""]
            for s in rows
        ],
    )


_FEW = "“Few cases”: under 30, where the interval is too wide to show anything but a very large difference."


def _subgroups(m: dict[str, Any]) -> Section:
    rows = [s for s in m["slices"] if s["group"] in ("age", "sex", "arrival")]
    note = f"{_FEW} Not adjusted for the mix of levels in each group, nor for the number of groups."
    return Section("E. By patient", tables=[_slice_table(rows)], note=note)


def _calibration(m: dict[str, Any]) -> Section | None:
    c = m.get("calibration")
    if c is None:
        return None
    rows = [
        ["expected calibration error", number(c["ece"])],
        ["Brier score (0 to 2)", number(c["brier"])],
        ["area under risk and coverage", number(c["aurc"])],
        ["cases without probabilities", str(c["without_probabilities"])],
    ]
    note = f"Confidence is the {c['confidence']}. Lower is better in all three. Equal bins: {c['bins']}."
    return Section(
        "F. Can its confidence be trusted?", tables=[Table(["", ""], rows)], figures=("reliability", "risk"), note=note
    )


def _robustness(m: dict[str, Any]) -> Section:
    rows = [s for s in m["slices"] if s["group"] in ("vital signs", "length")]
    title, tables = "G. What is missing, what is changed, what repeats", [_slice_table(rows)]
    not_asked, notes = [], [_FEW]
    if p := m.get("perturbations"):
        tables += _perturbed(p)
        notes.append(
            f"The threshold of {percent(p['threshold'])} was set beforehand (EQUITRIAGE); “undecided”: the interval "
            "holds it. Flips of the same text asked again are chance in decoding: no other change can be blamed for as "
            "many."
        )
    else:
        not_asked.append("Changed narratives were not asked about: “esi evaluate --perturb” does.")
    if r := m.get("repeatability"):
        tables.append(_repeated(r))
    else:
        not_asked.append("Each case was asked once: “esi evaluate --samples 5” tells how far a sampled answer repeats.")
    return Section(title, " ".join(not_asked), tables, note=" ".join(notes))


def _perturbed(p: dict[str, Any]) -> list[Table]:
    limit = percent(p["threshold"])
    must_not = [
        [name, str(f["flips"]["n"]), interval(f["flips"]), f"{f['more_urgent']} / {f['less_urgent']}", f["verdict"]]
        for name, f in p["must_not_change"].items()
    ]
    must = [[name, str(f["missed"]["n"]), interval(f["missed"]), f["verdict"]] for name, f in p["must_change"].items()]
    return [
        Table(
            ["must not change the answer", "n", "answers that flip", "more / less urgent", f"against {limit}"], must_not
        ),
        Table(["must change the answer", "n", "not answered ESI 1", f"against {limit}"], must),
    ]


def _repeated(r: dict[str, Any]) -> Table:
    rows = [
        ["cases answered alike each time", interval(r["unanimous"])],
        ["pairs of answers to one case that are the same level", interval(r["agreement"])],
        ["entropy of the answers to one case (bits; 0: always the same)", number(r["entropy"])],
        *([f"exact, sample {k}", interval(exact)] for k, exact in enumerate(r["exact"], start=1)),
        ["exact, commonest answer (ties: the more urgent)", interval(r["commonest_exact"])],
    ]
    return Table([f"each case asked {r['k']} times", ""], rows)


def _steps(m: dict[str, Any]) -> Section:
    title = "H. Are its stated steps true?"
    s = m.get("steps")
    if s is None:
        return Section(title, "No answer states steps, so there is nothing to check.")
    rows = [
        [label, str(s[name]["n"]), interval(s[name])]
        for name, label in (
            ("with_steps", "answers that state steps"),
            ("extraction_supported", "all numbers of the extraction are in the narrative"),
            ("steps_agree", "no step contradicts the ESI engine"),
            ("follows", "the level follows from the steps"),
            ("consistent", "nothing of all that is amiss"),
            ("right_by_wrong_steps", "right answers by wrong steps"),
        )
    ]
    verdicts = ("agree", "disagree", "undetermined")
    by_step = [
        [f"Step {name[-1].upper()}", *(str(count.get(verdict, 0)) for verdict in verdicts)]
        for name, count in s["by_step"].items()
    ]
    note = (
        "Consistency, not proof of reasoning: whether what an answer states agrees with what the engine reads. Shares "
        "are of the answers where it can be told (n)."
    )
    tables = [Table(["", "n", "share"], rows), Table(["against the engine", *verdicts], by_step)]
    return Section(title, tables=tables, note=note)


def _weaknesses(m: dict[str, Any]) -> Section:
    rows = [s for s in m["slices"] if s["group"] == _WEAK]
    untested = [s["name"] for s in rows if s["n"] == 0]
    lead = "Which cases have one is the engine's reading."
    lead += f" Not tested here, no case has it: {', '.join(untested)}." if untested else ""
    sources = m.get("by_gold_source", {})
    by_source = Table(
        ["gold assigned by", "n", "exact", "under-triage"],
        [[name, str(f["n"]), interval(f["exact"]), interval(f["under_triage"])] for name, f in sources.items()],
    )
    note = f"{_FEW} Agreement with an engine's labels is not accuracy against people: the sources are never added up."
    return Section("I. Known weaknesses, and whose gold it is", lead, [_slice_table(rows), by_source], note=note)


def _use(m: dict[str, Any]) -> Section | None:
    use = m.get("ledger")
    if use is None:
        return None
    lead = f"This case set ({m['cases_file']}, sha256 {m['cases_sha256'][:12]}) has been scored {in_words(use)}."
    if use["other_versions"]:
        lead += f" Other versions of this file: scored {use['other_versions']} times."
    if seen := m["splits"].get("train"):
        lead += f" {seen} of its cases are of the split train: of a model that learned from it this is no test."
    note = (
        "A set that is scored often becomes a tuning set. Only scorings with its ledger beside it are counted. Whether "
        "training has seen its patients or texts is not checked here: “esi data check TRAIN TEST” does."
    )
    return Section("J. How often this set was used", lead, note=note)


def _method(m: dict[str, Any]) -> Section:
    how = m["intervals"]
    rows = [[name.replace("_", " "), _plain(value)] for name, value in m.get("settings", {}).items() if value]
    rows += [
        ["proportions", f"95 % interval: {how['proportions']}"],
        ["other figures", f"95 % interval: {how['others']}; {how['resamples']} resamples, seed {how['seed']}"],
        ["patients", str(how["patients"])],
    ]
    return Section("K. How it was measured", tables=[Table(["", ""], rows, words=(1,))])


def _plain(value: Any) -> str:
    return ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
