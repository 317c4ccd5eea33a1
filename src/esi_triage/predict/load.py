"""Find a model by what the user typed."""

from pathlib import Path

from ..errors import InputError
from .model import Model, constant_model
from .rules import rules_model


def load_model(spec: str, seed: int | None = None) -> Model:
    """The model that `spec` names: `rules`, `constant:2`, a run folder, an adapter folder, or a base (name or path).

    Loading a language model imports torch; the others do not. `seed` overrides the sampling seed of a language model.
    Raises InputError where nothing of that name can be loaded.
    """
    if spec == "rules":
        return rules_model()
    if spec.startswith("constant"):
        return constant_model(spec)
    if "/" not in spec and not Path(spec).exists() and spec not in ("tiny", "smollm2", "qwen3.5-9b"):
        raise InputError(
            f"model {spec!r}: give rules, constant:1 to constant:5, a run folder (e.g. runs/v46), an adapter folder, "
            f"or a base (tiny, smollm2, qwen3.5-9b, or a path)."
        )
    from .local import local_model

    return local_model(spec, seed)
