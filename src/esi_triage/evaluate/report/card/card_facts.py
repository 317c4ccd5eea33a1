"""What a run folder says of itself, as short texts by name: what the model card and the checklists are filled with."""

import json
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from ....answer import load_prompt
from ....data.case_table import BadRow, read_rows
from ....errors import InputError
from ....page import interval, percent
from ....predict.model_files import model_sha256
from ....reading import read_json
from ....reward import Audit, audit, load_design
from ....reward.policy import default_prior, read_prior
from ....train.run import Run
from ...identity import how_drawn, training_rows
from ...scoring_log import in_words
from ..tables import number, points, said

Facts = dict[str, str]
_NEEDED = ("baselines", "slices", "confusion", "by_gold_source")
_NOT_LOGGED = "The scoring was not noted in a scoring log"


def read_metrics(folder: Path) -> dict[str, Any]:
    """metrics.json of an evaluation. Raises InputError where there is none, or an older version wrote it."""
    file = folder / "metrics.json"
    if not file.is_file():
        raise InputError(
            f"{folder}: no metrics.json here; evaluate first: esi evaluate --model RUN --cases FILE --output {folder}."
        )
    measured = read_json(file, "Evaluate again.")
    if not isinstance(measured, dict):
        raise InputError(f"{file}: it holds no figures; evaluate again.")
    lacking = [name for name in _NEEDED if name not in measured]
    if lacking:
        raise InputError(f"{file}: it lacks {', '.join(lacking)}; another version wrote it: evaluate again.")
    return measured


def read_experiment(run: Run) -> dict[str, Any]:
    """The resolved experiment of a run, as plain values, with its `sha256`. Raises InputError where it is no run."""
    if not run.experiment.is_file():
        raise InputError(f"{run.folder}: no experiment.toml here; give a run folder, e.g. runs/tiny/v46.")
    text = run.experiment.read_text(encoding="utf-8")
    return tomllib.loads(text) | {"sha256": text.partition("sha256 ")[2][:64]}


def training_licence(experiment: Mapping[str, Any]) -> str:
    """`open` or `credentialed`: that of the training rows; credentialed where the table is no longer at hand."""
    source = experiment["data"]["source"]
    if source == "open":
        return "open"
    if not Path(source).is_file():
        return "credentialed"
    rows = (row for row in read_rows(Path(source)) if not isinstance(row, BadRow))
    return "open" if all(row.get("licence") == "open" for row in rows) else "credentialed"


def audited(experiment: Mapping[str, Any]) -> Audit | None:
    """The audit of the run's reward design under the shares of MIMIC-IV-ED and the assumed warm start; null for SFT."""
    if not experiment.get("reward"):
        return None
    design = load_design(experiment["reward"])
    n = len(design.table)
    return audit(design, read_prior(default_prior(n), n))


def facts_of(run: Run, experiment: Mapping[str, Any], m: Mapping[str, Any]) -> Facts:
    """Every fact that the lists and the card name. What the run does not say has no text."""
    return {**_trained(run, experiment), **_tested(m), **_measured(m), **_subgroups(m)}


def _trained(run: Run, e: Mapping[str, Any]) -> Facts:
    data, lora, prompt = e["data"], e["lora"], load_prompt(e["prompt"])
    made_up = data["source"] == "open"
    return {
        **_sentences(training_licence(e)),
        "model": e["name"],
        "base": e["base"],
        "version": _environment(run).get("packages", {}).get("esi-triage", ""),
        "experiment_sha256": e["sha256"],
        "model_sha256": model_sha256(str(run.folder)),
        "method": "GRPO (reinforcement learning) with LoRA" if e["method"] == "grpo" else "SFT (supervised) with LoRA",
        "training_data": training_rows(e),
        "sampling": f"Training rows are drawn {how_drawn(data)}; the test set is not resampled",
        "lora": f"r {lora['r']}, alpha {lora['alpha']}, dropout {lora['dropout']}, on {', '.join(lora['targets'])}",
        "trainer": _listed(e["trainer"]),
        "prompt": f"“{prompt.name}”, sha256 {prompt.sha256[:12]}",
        "prompt_text": prompt.system,
        "decoding": _listed(e["evaluate"]),
        "alignment": _alignment(e),
        "checkpoint": f"The adapter of the last of {e['trainer']['max_steps']} steps is kept; none by its results",
        "dates": "The corpus is generated; it has no dates." if made_up else "",
        "hardware": _hardware(run),
        "duration": _duration(run),
        "updating": f"Trained on from {e['parent']}; its results are in that run" if e.get("parent") else "None",
    }


def _sentences(licence: str) -> Facts:
    file = resources.files("esi_triage.evaluate.report.card") / "card.toml"
    values = tomllib.loads(file.read_text(encoding="utf-8"))
    return {name: text for name, text in values.items() if isinstance(text, str)} | values[licence]


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _alignment(e: Mapping[str, Any]) -> str:
    found = audited(e)
    if found is None:
        return "Supervised fine-tuning on answers in the ESI format; the loss is on the completion only; no reward"
    design = found.design
    drawn = [f"{design.label(level)} ×{factor:g}" for level, factor in design.oversample.items() if factor != 1]
    bonuses = f"no answer {design.no_parse:+g}, format {design.format_bonus:+g}, length up to {design.length_bonus:+g}"
    return (
        f"GRPO from {e['parent']} with reward design {design.name} (its table is in the card; {bonuses}; drawn more "
        f"often: {', '.join(drawn) or 'none'}), KL weight {e['trainer']['beta']:g}; audit verdict before training: "
        f"{found.verdict}, {len(found.findings)} findings"
    )


def _environment(run: Run) -> dict[str, Any]:
    file = run.folder / "environment.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _hardware(run: Run) -> str:
    e = _environment(run)
    return f"{e['device']}, {e['cores']} cores, {e['system']}" if e else ""


def _duration(run: Run) -> str:
    if not run.metrics.is_file():
        return ""
    seconds = [row["times"]["train_runtime"] for row in run.metric_rows() if "train_runtime" in row.get("times", {})]
    return f"Training took {sum(seconds) / 60:.0f} minutes" if seconds else ""


def _tested(m: Mapping[str, Any]) -> Facts:
    gold = {level: c["gold_n"] for level, c in m["per_class"].items()}
    rows, use = m.get("rows"), m.get("ledger")
    file = f"{m['cases_file']} (sha256 {m['cases_sha256'][:12]}), " if "cases_file" in m else ""
    left_out = (
        f"; {rows['without_gold']} without gold, {rows['bad']} bad rows and {rows['other_split']} of other splits left "
        f"out of {rows['in']}"
        if rows
        else ""
    )
    return {
        "test_data": f"{file}{m['n']} labelled cases{_whose(m)}",
        "gold_sources": ", ".join(f"{name} ({f['n']})" for name, f in m["by_gold_source"].items()),
        "class_counts": ", ".join(f"ESI {level}: {n}" for level, n in gold.items()),
        "rows": f"{m['n']} cases evaluated{left_out}",
        "answered": f"{m['complete_case']['n']} of {m['n']} cases",
        "scored": use["last"][:10] if use else "",
        "ledger": f"The test set has been scored {in_words(use)}" if use else _NOT_LOGGED,
        "intervals": f"95 % intervals: {m['intervals']['proportions']}; others {m['intervals']['others']}",
    }


def _whose(m: Mapping[str, Any]) -> str:
    """How many patients, where every case says whose it is, and how many groups are resampled where groups are."""
    patients, how = m.get("patients"), m["intervals"]
    words = how.get("clusters", "patients")
    resampled = "" if words.startswith("patients") else f", resampled by {how['patients']} {words}"
    return (f" of {patients} patients" if patients else "") + resampled


def _measured(m: Mapping[str, Any]) -> Facts:
    best, margin = m["best_constant"]["level"], points(m["margin_over_best_constant"])
    exact = ", ".join(f"{said(name)} {percent(b['exact']['value'])}" for name, b in m["baselines"].items())
    shares = {
        "Under-triage": "under_triage",
        "over-triage": "over_triage",
        "sensitivity for ESI 1–2": "high_acuity_sensitivity",
        "gold 1–2 answered 4–5, or no answer": "severe_under_triage",
    }
    return {
        "headline": f"Exact {interval(m['exact'])}, within one {interval(m['within_one'])}, quadratic-weighted kappa "
        f"{number(m['qwk'])}, macro-F1 {number(m['macro_f1'])}, n = {m['n']}",
        "margin": f"Against the best constant (always ESI-{best}): {margin} points",
        "safety": ", ".join(f"{label} {interval(m[name])}" for label, name in shares.items()),
        "no_parse": interval(m["no_parse"]),
        "repeats": _repeated(m),
        "baselines": f"exact: {exact}",
    }


def _repeated(m: Mapping[str, Any]) -> str:
    r = m.get("repeatability")
    if r is None:
        return "One answer a case; repeated answers were not drawn"
    return (
        f"{r['k']} answers a case, of which the first is measured: {interval(r['unanimous'])} of the cases were "
        f"answered alike each time, {interval(r['agreement'])} of the pairs of answers to one case are the same level"
    )


def _subgroups(m: Mapping[str, Any]) -> Facts:
    def told(groups: tuple[str, ...]) -> str:
        rows = [s for s in m["slices"] if s["group"] in groups and s["n"]]
        return "; ".join(f"{s['group']} {s['name']} {interval(s['exact'])}, n = {s['n']}" for s in rows)

    count = {s["name"]: s["n"] for s in m["slices"] if s["group"] == "vital signs"}
    counts = "; ".join(
        f"{s['group']} {s['name']}: {s['n']}" for s in m["slices"] if s["group"] in ("age", "sex", "arrival")
    )
    p = m.get("perturbations")
    return {
        "subgroups": f"exact: {told(('age', 'sex', 'arrival'))}",
        "characteristics": counts,
        "missing": f"Vital signs in the test set: {', '.join(f'{name} {n}' for name, n in count.items())}",
        "missing_results": f"Exact by what was recorded: {told(('vital signs',))}",
        "flips": "; ".join(f"{name} {interval(f['flips'])}" for name, f in p["must_not_change"].items())
        if p
        else "not measured in this run",
    }
