"""Find a model by what the user typed."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..reading import strict_json
from ..train.bases import BASES, hub_copy
from ..train.reader.minilm import minilm_missing
from .calibration import Calibration, calibrated_model, read_calibration
from .guard.weighed_rules import FINDINGS, findings_model
from .model import WITHOUT_CHAIN, Model, constant_model
from .model_files import CALIBRATION, calibration_beside, folder_of, model_sha256, shipped_folder, shipped_models
from .predictions_file import predictions_model
from .rules_model import rules_model

READER, RISK = "reader", "risk"


def load_model(spec: str, seed: int | None = None, *, fast: bool = False, calibration: Path | None = None) -> Model:
    """The model that `spec` names, calibrated where `calibration`, or one beside its files, says how.

    `rules`, `constant:2`, `baseline:FOLDER/NAME` (see `baselines`), `findings`, `reader` (also reader:QUESTION,
    reader:FOLDER), a
    language model that ships (`esi models`), a run folder, an adapter folder, a base (name or path), or `guard:MODEL`,
    the rules and one of these together; `guard` alone is the rules and `reader`, or `findings` where the reader's base
    is not installed. Loading a language model imports
    torch. `seed` overrides its sampling seed; `fast` has it give its level without a chain. Raises InputError where
    nothing of that name can be loaded, and for a calibration of another model.
    """
    if url := guarded_url(spec):
        return _at_endpoint(spec, seed, fast, url, None, (), calibration, {})
    if spec == "guard" or spec.startswith("guard:"):
        return _guard(learned_name(spec), seed, fast, calibration)
    model = _one_model(spec, seed, fast)
    found = _calibration(spec, model, calibration)
    return calibrated_model(model, found) if found else model


def learned_name(spec: str) -> str:
    """The learned model of `guard:MODEL`; of `guard` alone the reader; any other name is its own."""
    return READER if spec in ("guard", "guard:") else spec.removeprefix("guard:")


def answering_name(name: str) -> str:
    """The learned model that answers in a guard: `findings` in place of the reader whose base is not installed."""
    return FINDINGS if name == READER and minilm_missing() else name


def guarded_url(spec: str) -> str | None:
    """The endpoint of `guard:URL`, the guard around the one model that is served there; null for another name."""
    return spec.removeprefix("guard:") if spec.startswith(("guard:http:", "guard:https:")) else None


def _one_model(spec: str, seed: int | None = None, fast: bool = False) -> Model:
    """A model by itself, with the probabilities that it gives of its own."""
    if spec == "rules":
        return rules_model()
    if spec.startswith("constant"):
        return constant_model(spec)
    if spec.startswith("baseline:"):
        from .baselines.fitted import baseline_model

        return baseline_model(spec)
    # a name that ships is that model; a folder of the same name is ./NAME
    if spec == FINDINGS:
        return findings_model()
    if spec.partition(":")[0] == READER:
        if problem := minilm_missing():
            raise InputError(f"model {spec!r}: {problem}.")
        from .reader import find_reader

        return find_reader(spec)
    known = (*shipped_models(), *BASES)
    if spec == RISK:
        raise InputError(f"model {spec!r}: it predicts an outcome and no level. Give guard, of which it is a part.")
    if spec not in known and not _is_place(spec) and hub_copy(spec) is None:
        shipped = ", ".join(name for name in shipped_models() if name != RISK) or "none here"
        raise InputError(
            f"model {spec!r}: there is nothing of that name on this machine. Give rules, constant:1 to constant:5, "
            f"baseline:FOLDER/NAME, guard, guard:MODEL, a model that ships ({shipped}), a run folder (runs/v46), an "
            f"adapter folder, or a base ({', '.join(BASES)}, a path, or OWNER/NAME once fetched by hf download)."
        )
    from .language_model import local_model

    return local_model(str(folder_of(spec)), seed, fast)


def _is_place(spec: str) -> bool:
    try:
        return Path(spec).exists()
    except OSError:  # a name that is too long for a file
        return False


def _guard(inner: str, seed: int | None, fast: bool, calibration: Path | None) -> Model:
    from .guard.guarding import guard_model

    problem = minilm_missing()
    if answering_name(inner) != inner:
        if calibration:
            raise InputError(f"--calibration {calibration}: it is for a model that cannot answer: {problem}.")
        learned = findings_model()
        found = read_calibration(shipped_folder() / FINDINGS / CALIBRATION, _hash(FINDINGS, learned), FINDINGS)
        return replace(guard_model(learned, found), notice=f"{problem}; the model {FINDINGS} answered in its place")
    learned = _one_model(inner, seed, fast)
    risk = None
    if RISK in shipped_models() and not problem and inner != FINDINGS:  # which answers the same without the base
        from .reader import risk_of

        risk = risk_of
    return guard_model(learned, _calibration(inner, learned, calibration), risk=risk)


def _calibration(spec: str, model: Model, given: Path | None) -> Calibration | None:
    file = given or calibration_beside(spec, _without_chain(model))
    return read_calibration(file, _hash(spec, model), spec) if file else None


def _without_chain(model: Model) -> bool:
    """Whether it is a language model that answers at once: other probabilities than those after a chain."""
    return model.settings.get("decoding") == WITHOUT_CHAIN


def _hash(spec: str, model: Model) -> str:
    """What a calibration belongs to; a model that knows its own hash, and how it is asked, tells both."""
    if own := model.settings.get("sha256"):
        return hashlib.sha256(f"{own} {model.name}".encode()).hexdigest()
    found = model_sha256(spec, model.identity)
    return hashlib.sha256(f"{found} fast".encode()).hexdigest() if _without_chain(model) else found


def find_model(
    spec: str,
    seed: int | None = None,
    endpoint: str | None = None,
    agreement: str | None = None,
    parameters: Sequence[str] = (),
    predictions: Path | None = None,
    cases: Path | None = None,
    id_column: str | None = None,
    level_column: str | None = None,
    *,
    fast: bool = False,
    calibration: Path | None = None,
    **settings: Any,
) -> Model:
    """The model that the command line names: one to load, one behind `endpoint`, or a predictions file.

    `spec` is the model's name at an endpoint; `guard:NAME` puts the rules beside it, `extract:NAME` has it read and the
    rules decide. `parameters` are NAME=VALUE, sent with each request, and `settings` as in `endpoint.Endpoint`.
    Predictions are for the case table `cases`; `id_column` and `level_column` name columns of theirs. `fast` and
    `calibration` as in `load_model`. Raises InputError for what does not go together.
    """
    if predictions and cases:
        if endpoint or agreement or parameters:
            raise InputError("--predictions and --endpoint: give one of them; predictions are there already.")
        if fast or calibration or seed is not None:
            raise InputError("--seed, --fast and --calibration are for a model that is asked; --predictions are made.")
        return predictions_model(predictions, cases, spec or None, id_column, level_column)
    if id_column or level_column:
        raise InputError("--id-column and --level-column belong to --predictions; give its file, or leave them out.")
    if not spec:
        raise InputError("--model is missing: give a model, e.g. rules; with --endpoint, its name at the endpoint.")
    endpoint = endpoint or guarded_url(spec)
    if endpoint is None:
        if spec.startswith("extract:"):
            raise InputError(
                f"--model {spec}: --endpoint is missing; give the URL of the server that serves the model."
            )
        if agreement or parameters:
            raise InputError("--agreement and --parameter belong to --endpoint; give its URL, or leave them out.")
        return load_model(spec, seed, fast=fast, calibration=calibration)
    return _at_endpoint(spec, seed, fast, endpoint, agreement, parameters, calibration, settings)


def _at_endpoint(
    spec: str,
    seed: int | None,
    fast: bool,
    url: str,
    agreement: str | None,
    parameters: Sequence[str],
    calibration: Path | None,
    settings: Mapping[str, Any],
) -> Model:
    from ..chat_endpoint import find_endpoint
    from .endpoint_model import endpoint_model, only_model
    from .extract import extract_model
    from .guard.guarding import guard_model

    if guarded_url(spec) == url:
        spec = f"guard:{only_model(url)}"
    kind, _, name = spec.partition(":") if spec.startswith(("guard:", "extract:")) else ("", "", spec)
    if not name:
        raise InputError(f"--model {spec}: give the model's name at the endpoint after the colon.")
    served = find_endpoint(url, name, parameters=_parameters(parameters, seed), **settings)
    if kind == "extract":
        if fast:
            raise InputError("--fast is for a model that gives a level; leave it out with extract:NAME.")
        return extract_model(served, agreement)
    model = endpoint_model(served, agreement, fast=fast)
    place = f"{url} {name}"
    found = read_calibration(calibration, model_sha256(place, model.identity), name) if calibration else None
    if kind == "guard":
        return guard_model(model, found)
    return calibrated_model(model, found) if found else model


def sole_model(
    spec: str,
    seed: int | None,
    fast: bool,
    endpoint: str | None,
    agreement: str | None,
    parameters: Sequence[str],
    settings: Mapping[str, Any],
) -> tuple[Model, str]:
    """The model that `spec` names without any calibration, and its hash: what a calibration is made of."""
    if endpoint:
        model = _at_endpoint(spec, seed, fast, endpoint, agreement, parameters, None, settings)
        return model, model_sha256(f"{endpoint} {spec}", model.identity)
    model = _one_model(spec, seed, fast)
    return model, _hash(spec, model)


def _parameters(given: Sequence[str], seed: int | None) -> dict[str, Any]:
    """The card's protocol with what the user changes in it; `NAME=` leaves a parameter out."""
    from ..chat_endpoint import PROTOCOL

    found: dict[str, Any] = PROTOCOL | ({} if seed is None else {"seed": seed})
    for pair in given:
        name, equals, value = pair.partition("=")
        if not name or not equals or name in ("model", "messages", "stream", "n"):
            raise InputError(f"--parameter {pair!r}: give NAME=VALUE, e.g. max_completion_tokens=2048.")
        found.pop(name, None)
        if value:
            found[name] = _json(value)
    return found


def _json(value: str) -> Any:
    try:
        found = strict_json(value)
        json.dumps(found, allow_nan=False)  # 1e999 is infinity by now, which no request can hold
    except ValueError:
        return value
    return found
