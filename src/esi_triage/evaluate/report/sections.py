"""The sections of a report: the summary, A to M, and of them G to L: calibration to methods."""

from typing import Any

from ...page import interval, percent
from ..scoring_log import in_words
from .accuracy_sections import accuracy, baseline_comparison, by_level, error_direction
from .hand_over_section import hand_over_section
from .patient_sections import FEW, outcomes, subgroup_comparison
from .summary import summary
from .tables import Section, Table, number

_WEAK = "known weaknesses"


def sections(model: str, m: dict[str, Any]) -> list[Section]:
    """The sections that the figures `m` (metrics.json) allow, in order."""
    made = [
        summary(model, m),
        accuracy(model, m),
        error_direction(model, m),
        by_level(m),
        baseline_comparison(model, m),
        outcomes(model, m),
        subgroup_comparison(m),
        _calibration(m),
        _robustness(m),
        _steps(m),
        _weaknesses(m),
        _use(m),
        _method(m),
        hand_over_section(m),
    ]
    return [section for section in made if section]


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
    return Section("G. Calibration", tables=[Table(["", ""], rows)], figures=("reliability", "risk"), note=note)


def _robustness(m: dict[str, Any]) -> Section:
    rows = [s for s in m["slices"] if s["group"] in ("vital signs", "length")]
    title, tables = "H. Robustness: missing data, perturbations, repeatability", [_slice_table(rows)]
    not_asked, notes = [], [FEW]
    if p := m.get("perturbations"):
        tables += _perturbed(p)
        notes.append(
            f"The threshold of {percent(p['threshold'])} was set beforehand (EQUITRIAGE); “undecided”: the interval "
            f"holds it. Noise floor (the same text asked again): {p['noise_floor']}; no other change can be blamed for "
            "as many flips."
        )
    else:
        not_asked.append("Perturbations were not measured: “esi evaluate --perturb” does.")
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
    title = "I. Verification of the stated steps"
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
            ("consistent", "none of these errors"),
            ("label_only", "answers with a step ruled by the label (label-only)"),
            ("consistent_without_label_only", "none of these errors, of the answers without such a step"),
            ("right_by_wrong_steps", "right answers by wrong steps"),
        )
    ]
    verdicts = ("agree", "disagree", "undetermined", "label_only")
    by_step = [
        [f"Step {name[-1].upper()}", *(str(count.get(verdict, 0)) for verdict in verdicts)]
        for name, count in s["by_step"].items()
    ]
    note = (
        "Consistency, not proof of reasoning: whether what an answer states agrees with what the engine reads. Shares "
        "are of the answers where it can be told (n). A label-only step was ruled by the label: nothing in the note "
        "can contradict it, so it counts as consistent without being checked."
    )
    head = ["against the engine", *(verdict.replace("_", "-") for verdict in verdicts)]
    tables = [Table(["", "n", "share"], rows), Table(head, by_step)]
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
    note = f"{FEW} Agreement with an engine's labels is not accuracy against people: the sources are never added up."
    tables = [_slice_table(rows), by_source, *_reversed(m)]
    return Section("J. Known weaknesses and sources of gold", lead, tables, note=note)


def _reversed(m: dict[str, Any]) -> list[Table]:
    """With and without the groups (hospital-years) whose levels run the wrong way round."""
    if "without_reversed_groups" not in m:
        return []
    rest = m["without_reversed_groups"]
    columns = {"all cases": m, "without them": rest["model"], "best constant without them": rest["best_constant"]}
    rows = [
        ["n", *(str(f["n"]) for f in columns.values())],
        ["exact", *(interval(f["exact"]) for f in columns.values())],
        ["quadratic-weighted kappa", *(number(f["qwk"]) for f in columns.values())],
        ["under-triage", *(interval(f["under_triage"]) for f in columns.values())],
        ["over-triage", *(interval(f["over_triage"]) for f in columns.values())],
    ]
    return [Table(["reversed groups", *columns], rows)]


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
        "A set that is scored often becomes a tuning set. Only scorings with its log beside it are counted. Whether "
        "training has seen its patients or texts is not checked here: “esi data check TRAIN TEST” does."
    )
    return Section("K. Uses of this test set", lead, note=note)


def _method(m: dict[str, Any]) -> Section:
    how = m["intervals"]
    rows = [[name.replace("_", " "), _plain(value)] for name, value in m.get("settings", {}).items() if value]
    rows += [
        ["proportions", f"95 % interval: {how['proportions']}"],
        ["other figures", f"95 % interval: {how['others']}; {how['resamples']} resamples, seed {how['seed']}"],
        [f"resampled: {how.get('clusters', 'patients')}", str(how["patients"])],
    ]
    return Section("L. Methods", tables=[Table(["", ""], rows, words=(1,))])


def _plain(value: Any) -> str:
    return ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
