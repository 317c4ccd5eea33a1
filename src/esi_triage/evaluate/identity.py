"""The settings under which a scored model answered, and what it learned from."""

import json
import tomllib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..answer import load_prompt
from ..predict.guard.weighed_rules import FINDINGS
from ..predict.load import READER, answering_name, learned_name
from ..predict.model_files import folder_of, model_sha256, shipped_models

NOT_KNOWN = "not known here"
_UNTRAINED = "nothing; written from the ESI handbook, version 5"


def settings_of(spec: str, identity: str | None = None) -> dict[str, Any]:
    """How a model answers, as plain values: our version, its hash, and of a run its base, prompt and decoding."""
    said: dict[str, Any] = {
        "esi_triage": version("esi-triage"),
        "model": spec,
        "model_sha256": model_sha256(spec, identity),
        "trained_on": trained_on(spec),
    }
    values = _experiment(Path(spec))
    if values is None:
        return said
    prompt = load_prompt(values["prompt"])
    return said | {
        "experiment": values["name"],
        "base": values["base"],
        "profile": values["profile"],
        "prompt": prompt.name,
        "prompt_sha256": prompt.sha256,
        "decoding": values["evaluate"],
    }


def trained_on(spec: str) -> str:
    """What the model that `spec` names learned from, in words; `NOT_KNOWN` where its files do not say."""
    if spec == "rules":
        return _UNTRAINED
    if spec.startswith("constant:"):
        return "nothing; the same level for every case"
    if spec.startswith("guard"):
        parts = dict.fromkeys((FINDINGS, answering_name(learned_name(spec))))
        return "; ".join([f"rules: {_UNTRAINED}", *(f"{part}: {trained_on(part)}" for part in parts)])
    if spec.startswith("baseline:"):
        return _baseline(folder_of(spec).parent / "baselines.json")
    values = _experiment(Path(spec))
    if values:
        method = f"GRPO from {values['parent']}" if values["method"] == "grpo" else values["method"].upper()
        return f"{training_rows(values)}; {method}, base {values['base']}"
    own = Path(spec.removeprefix(f"{READER}:")) / "reader.json"
    if own.is_file():
        about = json.loads(own.read_text(encoding="utf-8"))
        counted = sum(about["counted"].values())
        return f"{about['lessons']} examples, sha256 {about['data_sha256'][:12]}; words counted in {counted} texts"
    shipped = shipped_models().get(spec.partition(":")[0])
    told = shipped.trained_on if shipped else NOT_KNOWN
    return told if isinstance(told, str) else "; ".join(told)


def training_rows(experiment: Mapping[str, Any]) -> str:
    """The rows that an experiment draws, in words."""
    data = experiment["data"]
    corpus = f"the open corpus ({data.get('cases')} cases)" if data["source"] == "open" else Path(data["source"]).name
    return f"{corpus}, split train, {data['draws']} rows drawn {how_drawn(data)}, seed {data.get('seed', 0)}"


def how_drawn(data: Mapping[str, Any]) -> str:
    """What decides how often a level is drawn from an experiment's training data."""
    return "by the class factors of its reward design" if data.get("oversample") else "by the shares of its data"


def _experiment(folder: Path) -> dict[str, Any] | None:
    file = folder / "experiment.toml"
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def _baseline(file: Path) -> str:
    if not file.is_file():
        return NOT_KNOWN
    about = json.loads(file.read_text(encoding="utf-8"))
    return f"{about['cases']} cases of the split train ({about['licence']}), sha256 {about['data_sha256'][:12]}"
