"""The Hugging Face model card of a run, and the reporting checklists beside it, filled from the run.

What only a person can say is marked AUTHOR MUST COMPLETE; nothing is invented.
"""

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from ....atomic_files import write_text
from ....notice import NOTICE
from ....reward import Audit
from ....reward.audit.finding import TITLES
from ....train.bases import hub_of
from ....train.run import Run
from ..sections import sections
from . import checklist
from .card_facts import Facts, audited, facts_of, read_experiment, read_metrics, training_licence

_LETTERS = "ABCDJ"  # the sections of the report that a card repeats
_METRICS = (
    ("exact", "accuracy", "Exact"),
    ("within_one", "within_one", "Within one level"),
    ("qwk", "quadratic_weighted_kappa", "Quadratic-weighted kappa"),
    ("macro_f1", "f1", "Macro-F1"),
    ("under_triage", "under_triage", "Under-triage"),
    ("over_triage", "over_triage", "Over-triage"),
    ("high_acuity_sensitivity", "recall", "Sensitivity, ESI 1-2"),
    ("no_parse", "no_parse", "No parseable answer"),
)


def write_card(folder: Path, evaluation: Path | None = None, author: Path | None = None) -> list[Path]:
    """Write README.md and checklists.md into the run folder `folder`; returns what was written.

    `evaluation` is the folder whose metrics.json is told (default: the run's own); `author` a TOML file with what only
    the author can say (checklist.read_author). The card also replaces PEFT's stub in the adapter folder, which is what
    is published, and which names paths of this machine. Raises InputError where the run or its evaluation is missing.
    """
    run = Run(folder)
    experiment, measured = read_experiment(run), read_metrics(evaluation or folder)
    answers = checklist.read_author(author) if author else {}
    facts = facts_of(run, experiment, measured)
    card = card_text(experiment, measured, facts, audited(experiment))
    lists = {name: checklist.checklist(name, facts, answers.get(name)) for name in checklist.LISTS}
    files = {folder / "README.md": card, folder / "checklists.md": checklist.checklists_markdown(lists)}
    if run.adapter.is_dir():
        files[run.adapter / "README.md"] = card
    for file, text in files.items():
        write_text(file, text)
    return list(files)


def card_text(experiment: Mapping[str, Any], measured: dict[str, Any], facts: Facts, found: Audit | None) -> str:
    """The model card as Markdown with its YAML front matter."""
    from jinja2 import Environment, StrictUndefined

    from ..evaluation_report import markdown_of

    source = (resources.files("esi_triage.evaluate.report.card") / "templates" / "card.md").read_text(encoding="utf-8")
    shown = [s for s in sections(experiment["name"], measured) if s.title[0] in _LETTERS]
    template = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(source)
    return template.render(
        front=front_matter(experiment, measured),
        notice=NOTICE,
        e=experiment,
        f=facts,
        results=markdown_of(shown, level=3),
        audit=found,
        titles=TITLES,
        author=checklist.AUTHOR,
        weak=[s for s in measured["slices"] if s["group"] == "known weaknesses"],
        hub=hub_of(experiment["base"]),
    )


def front_matter(experiment: Mapping[str, Any], measured: Mapping[str, Any]) -> str:
    """The YAML between the dashes. Values are written as JSON, which is YAML: none can break out of its line."""
    closed = training_licence(experiment) != "open"
    values: dict[str, Any] = {
        "license": "other" if closed else "apache-2.0",
        **({"license_name": "credentialed-health-data"} if closed else {}),
        "language": ["en"],
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "tags": ["emergency-severity-index", "triage", "lora", experiment["method"], "research-only"],
    }
    if hub := hub_of(experiment["base"]):
        values |= {"base_model": hub, "base_model_relation": "adapter"}
    values["model-index"] = [{"name": experiment["name"], "results": [_result(measured)]}]
    return "\n".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in values.items())


def _result(m: Mapping[str, Any]) -> dict[str, Any]:
    file = m.get("cases_file", "held-out cases of the series")
    metrics = [
        {
            "type": kind,
            "name": f"{label} (95 % interval {m[name]['low']:.3f} to {m[name]['high']:.3f}, n = {m[name]['n']})",
            "value": round(m[name]["value"], 4),
        }
        for name, kind, label in _METRICS
        if m[name]["value"] is not None
    ]
    return {
        "task": {"type": "text-generation", "name": "ESI triage level (1 to 5) from a triage narrative"},
        "dataset": {"type": "esi-triage-cases", "name": f"{file} ({m['n']} cases)"},
        "metrics": metrics,
    }
