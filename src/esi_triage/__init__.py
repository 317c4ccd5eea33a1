"""Emergency Severity Index triage with language models. Research software, not a medical device.

from esi_triage import load_model, triage
triage("54 y/o M, chest pain radiating to the left arm, sweating. BP 150/90, HR 104").level
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .esi import Case, Level
    from .predict import Model, Reply, load_model

__all__ = ["Case", "Level", "load_model", "triage"]


def triage(narrative: str, model: "str | Model" = "rules") -> "Reply":
    """One narrative's ESI level with the answer it was read from. `model` as in `load_model`, or a loaded model."""
    from .predict import load_model

    loaded = load_model(model) if isinstance(model, str) else model
    return loaded.answer([narrative], lambda _: None)[0]


def __getattr__(name: str) -> Any:
    """The other public names, loaded at first use, so that `import esi_triage` stays light."""
    if name in ("Case", "Level"):
        from . import esi

        return getattr(esi, name)
    if name == "load_model":
        from .predict import load_model

        return load_model
    raise AttributeError(f"module 'esi_triage' has no attribute {name!r}")
