"""Find a model by what the user typed."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError
from .elsewhere import predictions_model
from .model import Model, constant_model
from .rules import rules_model


def load_model(spec: str, seed: int | None = None) -> Model:
    """The model that `spec` names.

    `rules`, `constant:2`, `baseline:FOLDER/NAME` (see `baselines`), a run folder, an adapter folder, or a base (name or
    path). Loading a language model imports torch; the others do not. `seed` overrides the sampling seed of a language
    model. Raises InputError where nothing of that name can be loaded.
    """
    if spec == "rules":
        return rules_model()
    if spec.startswith("constant"):
        return constant_model(spec)
    if spec.startswith("baseline:"):
        from .baselines import baseline_model

        return baseline_model(spec)
    if "/" not in spec and not Path(spec).exists() and spec not in ("tiny", "smollm2", "qwen3.5-9b"):
        raise InputError(
            f"model {spec!r}: give rules, constant:1 to constant:5, baseline:FOLDER/NAME, a run folder (runs/v46), an "
            f"adapter folder, or a base (tiny, smollm2, qwen3.5-9b, or a path)."
        )
    from .local import local_model

    return local_model(spec, seed)


def find_model(
    spec: str,
    seed: int | None = None,
    endpoint: str | None = None,
    agreement: str | None = None,
    parameters: Sequence[str] = (),
    predictions: Path | None = None,
    cases: Path | None = None,
    **settings: Any,
) -> Model:
    """The model that the command line names: one to load, one behind `endpoint`, or `predictions` made elsewhere.

    `spec` is the model's name at an endpoint. `parameters` are NAME=VALUE, sent with each request, and `settings` as in
    `endpoint.Endpoint`. Predictions are for the case table `cases`. Raises InputError for what does not go together.
    """
    if predictions and cases:
        if endpoint or agreement or parameters:
            raise InputError("--predictions and --endpoint: give one of them; predictions are there already.")
        return predictions_model(predictions, cases, spec or None)
    if not spec:
        raise InputError("--model is missing: give a model, e.g. rules; with --endpoint, its name at the endpoint.")
    if endpoint is None:
        if agreement or parameters:
            raise InputError("--agreement and --parameter belong to --endpoint; give its URL, or leave them out.")
        return load_model(spec, seed)
    from ..endpoint import find_endpoint
    from .endpoint import endpoint_model

    return endpoint_model(
        find_endpoint(endpoint, spec, parameters=_parameters(parameters, seed), **settings), agreement
    )


def _parameters(given: Sequence[str], seed: int | None) -> dict[str, Any]:
    """The card's protocol with what the user changes in it; `NAME=` leaves a parameter out."""
    from ..endpoint import PROTOCOL

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
        return json.loads(value)
    except ValueError:
        return value
